%% Requests in collections, servers that are monitored from their start, options of a start, tagged monitors.
-module(requests).
-export([g69_collections_of_requests/0, g70_start_monitor/0, g71_options_of_a_start/0, g72_callback_modules/0,
         p69_monitors_with_a_tag/0]).
-import(transcript, [log/1, settle/0, settle/1, flush/0, attempt/1, down/2]).

g69_collections_of_requests() ->
    {ok, Srv} = server:start(srv),
    {ok, Other} = server:start(other),
    Empty = gen_server:reqids_new(),
    log([empty, gen_server:reqids_size(Empty), gen_server:receive_response(Empty, 10, true)]),
    One = gen_server:send_request(Srv, {sleep, 60, slow}, label_1, Empty),
    Two = gen_server:reqids_add(gen_server:send_request(Other, ping), [label, 2], One),
    log([sizes, [gen_server:reqids_size(C) || C <- [Empty, One, Two]]]),
    log([labels, lists:sort([Label || {_, Label} <- gen_server:reqids_to_list(Two)])]),
    {Response, Label, Left} = gen_server:receive_response(Two, 5000, true),
    log([first, Response, Label, gen_server:reqids_size(Left)]),
    log([too_early, gen_server:wait_response(Left, 10, true)]),
    {Next, NextLabel, Kept} = gen_server:wait_response(Left, 5000, false),
    log([second, Next, NextLabel, gen_server:reqids_size(Kept)]),
    log([another_message, gen_server:check_response(something_else, Two, true)]),
    log([nothing_to_wait_for, gen_server:check_response(something_else, Empty, true)]),
    Dead = gen_server:send_request(nobody_here, ping, unknown, Empty),
    {Unknown, UnknownLabel, Rest} = gen_server:receive_response(Dead, 5000, true),
    log([unknown, Unknown, UnknownLabel]),
    Last = gen_server:send_request(Srv, {stop, boom}, last, Rest),
    settle(),
    {Died, DiedLabel, None} = gen_server:check_response(receive Any -> Any end, Last, true),
    log([died, element(1, Died), element(1, element(2, Died)), DiedLabel, gen_server:reqids_size(None)]),
    Abandoned = gen_server:send_request(Other, {sleep, 60, late}, abandoned, Empty),
    log([abandoned, gen_server:receive_response(Abandoned, 10, true)]),
    settle(120),
    log([mailbox, flush()]).

g70_start_monitor() ->
    process_flag(trap_exit, true),
    {ok, {Srv, Ref}} = gen_server:start_monitor(server, {srv, #{}}, []),
    log([not_linked, flush(), [Pid || {process, Pid} <- element(2, process_info(self(), monitors))] == [Srv]]),
    gen_server:cast(Srv, {stop, boom}),
    log([down, receive {'DOWN', Ref, process, Srv, Reason} -> Reason end]),
    Ends = [{stop_boom, {stop, boom}}, {stop_normal, {stop, normal}}, {ignore, ignore}],
    [log([Tag, gen_server:start_monitor(server, {failed, #{init => fun() -> Result end}}, []), flush()])
     || {Tag, Result} <- Ends],
    {error, {Error, _}} = gen_server:start_monitor(server, {failed, #{init => fun() -> error(oops) end}}, []),
    log([raises, Error, flush()]),
    log([timeout, gen_server:start_monitor(server, {slow, #{init => fun() -> settle(500) end}}, [{timeout, 20}]), flush()]),
    {ok, {Named, _}} = gen_server:start_monitor({local, g70}, server, {named, #{}}, []),
    log([taken, gen_server:start_monitor({local, g70}, server, {again, #{}}, []) == {error, {already_started, Named}}]),
    log([mailbox, flush()]),
    {ok, {Soon, _}} = gen_server:start_monitor(server, {soon, #{init => fun() -> {ok, 0, {continue, x}} end,
                                                                continue => fun(_, _) -> exit(why) end}}, []),
    settle(),
    log([dies_at_once, [[Pid, Why] || {'DOWN', _, process, Pid, Why} <- flush(), Pid == Soon]]).

g71_options_of_a_start() ->
    {ok, Srv} = server:start(srv, #{}, [{debug, [statistics, {log, 5}]}, {spawn_opt, [{priority, high}]}]),
    log([priority, element(2, process_info(Srv, priority))]),
    gen_server:call(Srv, ping),
    {ok, Statistics} = sys:statistics(Srv, get),
    log([statistics, [proplists:get_value(Key, Statistics) || Key <- [messages_in, messages_out]]]),
    {ok, Events} = sys:log(Srv, get),
    log([log, length(Events)]),
    Main = self(),
    Install = {install, {fun(N, _, _) -> Main ! {event, N}, N + 1 end, 0}},
    {ok, Other} = server:start(other, #{}, [{debug, [Install]}]),
    gen_server:call(Other, ping),
    settle(),
    log([installed, flush()]),
    {ok, Plain} = server:start(plain, #{}, []),
    log([default, element(2, process_info(Plain, priority)), sys:statistics(Plain, get)]).

g72_callback_modules() ->
    Sup = csup:start_link(sup, #{}, []),
    {ok, Pid} = Sup,
    log([module_of_a_supervisor, supervisor:get_callback_module(Pid) == csup]),
    actor:kill(Pid),
    [exit, {Why, _}] = attempt(fun() -> supervisor:get_callback_module(Pid) end),
    log([of_the_dead, Why]).

p69_monitors_with_a_tag() ->
    [A, B] = [actor:start(Name) || Name <- [a, b]],
    Ref = monitor(process, A, [{tag, gone}]),
    Other = monitor(process, A, [{tag, [some, term]}]),
    actor:exits(A, boom),
    log([tags, lists:sort([[element(1, M), element(5, M)] || M <- flush(), lists:member(element(2, M), [Ref, Other])])]),
    monitor(process, A, [{tag, gone}]),
    settle(),
    log([dead_already, [[element(1, M), element(4, M), element(5, M)] || M <- flush()]]),
    register(named, B),
    monitor(process, named, [{tag, gone}]),
    Plain = monitor(process, B),
    Flushed = monitor(process, B, [{tag, flushed}]),
    Early = monitor(process, B, [{tag, early}]),
    log([demonitor, demonitor(Early)]),
    actor:exits(B, bye),
    log([demonitor_flush, demonitor(Flushed, [flush]), demonitor(Plain, [flush])]),
    log([left, [[element(1, M), [name, element(1, element(4, M))], element(5, M)] || M <- flush()]]).
