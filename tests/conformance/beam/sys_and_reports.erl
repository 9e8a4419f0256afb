%% Groups S and L: what the recorded transcripts leave open about system messages, reports and ancestry.
-module(sys_and_reports).
-export([s51_suspend_and_resume/0, s52_change_code/0, s53_terminate/0, s54_replace_state/0,
         s55_signals_to_a_suspended_server/0, s56_status/0, s57_debug_functions/0,
         s58_change_code_of_a_running_server/0,
         l51_which_ends_are_reported/0, l52_plain_processes/0, l53_what_a_server_report_says/0,
         l54_what_a_crash_report_says/0, l55_failed_starts/0, l56_terminate_that_fails/0, l57_supervisor_report_order/0]).
-import(transcript, [log/1, settle/0, settle/1, flush/0, attempt/1, down/1, down/2]).

s51_suspend_and_resume() ->
    {ok, Srv} = server:start(srv),
    log([suspend, sys:suspend(Srv), sys:suspend(Srv)]),
    gen_server:cast(Srv, one),
    Srv ! two,
    log([call, attempt(fun() -> gen_server:call(Srv, ping, 40) end)]),
    gen_server:cast(Srv, {set, 5}),
    log([state_while_suspended, sys:get_state(Srv)]),
    log([resume, sys:resume(Srv), sys:resume(Srv)]),
    log([state, gen_server:call(Srv, get)]),
    settle(),
    log([no_late_reply, flush()]),
    log([dead, attempt(fun() -> sys:suspend(actor:start(a), 30) end)]),
    log([unknown, attempt(fun() -> sys:resume(no_such_name) end)]).

s52_change_code() ->
    {ok, Srv} = server:start(srv),
    sys:suspend(Srv),
    log([changed, sys:change_code(Srv, server, 1, extra)]),
    log([state, sys:get_state(Srv)]),
    log([fails, element(1, sys:change_code(Srv, server, 2, fail))]),
    log([state_after_a_failure, sys:get_state(Srv)]),
    sys:resume(Srv),
    log([goes_on, gen_server:call(Srv, ping), is_process_alive(Srv)]),
    log([running, element(1, sys:change_code(Srv, server, 3, extra))]),
    log([state, gen_server:call(Srv, get)]).

s58_change_code_of_a_running_server() ->
    {ok, Srv} = server:start(srv),
    {error, {Why, {Request, server, Version, Extra}}} = sys:change_code(Srv, server, 3, extra),
    log([refused, Why, Request, Version, Extra]),
    log([goes_on, gen_server:call(Srv, ping)]).

s53_terminate() ->
    process_flag(trap_exit, true),
    {ok, A} = server:start_link(a),
    log([terminate, sys:terminate(A, boom), receive {'EXIT', A, Reason} -> Reason end]),
    {ok, B} = server:start_link(b),
    sys:suspend(B),
    gen_server:cast(B, never_seen),
    log([while_suspended, sys:terminate(B, normal), receive {'EXIT', B, Reason2} -> Reason2 end]),
    log([dead, attempt(fun() -> sys:terminate(B, normal) end)]),
    log([mailbox, flush()]).

s54_replace_state() ->
    {ok, Srv} = server:start(srv),
    sys:suspend(Srv),
    log([suspended, sys:replace_state(Srv, fun(State) -> State + 7 end)]),
    log([fails, hd(attempt(fun() -> sys:replace_state(Srv, fun(_) -> error(oops) end) end))]),
    log([kept, sys:get_state(Srv)]),
    sys:resume(Srv),
    log([call, gen_server:call(Srv, get), is_process_alive(Srv)]),
    gen_server:cast(Srv, inc),
    log([after_an_earlier_cast, sys:replace_state(Srv, fun(State) -> State * 2 end)]),
    log([mailbox, flush()]).

s55_signals_to_a_suspended_server() ->
    Suspended = fun(Name, Trap) ->
        Parent = actor:trapping(parent),
        {ok, Srv} = actor:ask(Parent, fun() -> server:start_link(Name, #{trap => Trap}) end),
        sys:suspend(Srv),
        {Parent, Srv}
    end,
    {_, A} = Suspended(a, true),
    log([kill, down(A, fun() -> exit(A, kill) end)]),
    {_, B} = Suspended(b, false),
    log([not_trapping, down(B, fun() -> exit(B, boom) end)]),
    {P, C} = Suspended(c, true),
    log([parents_shutdown, down(C, fun() -> actor:ask(P, fun() -> exit(C, shutdown) end) end)]),
    {_, D} = Suspended(d, true),
    exit(D, boom),
    settle(),
    log([strangers_exit_waits, is_process_alive(D)]),
    sys:resume(D),
    log([handled_after_resume, gen_server:call(D, ping)]),
    {P2, E} = Suspended(e, true),
    Ref = monitor(process, E),
    actor:kill(P2),
    log([parent_killed, down(Ref)]).

s56_status() ->
    {ok, Srv} = server:start(srv, #{register => s56}),
    Shape = fun() ->
        {status, Pid, {module, Module}, [_, SysState, Parent, Debug, _]} = sys:get_status(s56),
        log([Pid, Module, SysState, Parent =:= Pid, Debug])
    end,
    Shape(),
    sys:suspend(Srv),
    Shape(),
    sys:resume(Srv),
    Shape(),
    log([dead, attempt(fun() -> sys:get_status(no_such_name) end)]),
    log([timeout, attempt(fun() -> sys:get_status(actor:start(a), 30) end)]).

s57_debug_functions() ->
    Main = self(),
    {ok, Srv} = server:start(srv),
    Sees = fun(Tag) -> fun(Count, Event, _) -> Main ! {Tag, Count, element(1, Event)}, Count + 1 end end,
    sys:install(Srv, {one, Sees(one), 1}),
    sys:install(Srv, {one, Sees(never), 1}),
    gen_server:cast(Srv, inc),
    gen_server:call(Srv, get),
    log([cast_and_call, flush()]),
    Srv ! info,
    catch gen_server:call(Srv, never_answered, 20),
    settle(),
    log([info_and_an_unanswered_call, flush()]),
    sys:install(Srv, {two, fun(_, Event, _) -> Main ! {two, element(1, Event)}, done end, 0}),
    sys:remove(Srv, one),
    gen_server:call(Srv, get),
    log([done_ends_it, flush()]),
    sys:install(Srv, {three, fun(_, _, _) -> Main ! three, error(oops) end, 0}),
    gen_server:call(Srv, get),
    gen_server:call(Srv, get),
    log([a_failure_ends_it, flush(), is_process_alive(Srv)]),
    sys:install(Srv, {four, Sees(four), 1}),
    sys:statistics(Srv, true),
    sys:no_debug(Srv),
    gen_server:call(Srv, get),
    log([no_debug, flush(), sys:statistics(Srv, get)]).

l51_which_ends_are_reported() ->
    Ends = [{stop, Reason} || Reason <- [normal, shutdown, {shutdown, x}, boom]] ++
        [{error, boom}, {exit, boom}, {exit, normal}, {exit, shutdown}],
    [log([End, reports:kinds(fun() -> {ok, Srv} = server:start(srv), gen_server:cast(Srv, End) end)]) || End <- Ends],
    [log([signal, Reason, Trap, reports:kinds(fun() ->
         {ok, Srv} = server:start(srv, #{trap => Trap}),
         exit(Srv, Reason)
     end)]) || Reason <- [boom, kill], Trap <- [false, true]],
    log([parents_exit, reports:kinds(fun() ->
        Parent = actor:start(parent),
        actor:ask(Parent, fun() -> server:start_link(srv, #{trap => true}) end),
        actor:exits(Parent, boom)
    end)]).

l52_plain_processes() ->
    Kinds = fun(Tag, F) -> log([Tag, reports:kinds(fun() -> spawn(F) end)]) end,
    Kinds(returns, fun() -> ok end),
    Kinds(exits, fun() -> exit(boom) end),
    Kinds(raises, fun() -> error(boom) end),
    Kinds(raises_and_catches, fun() -> catch error(boom) end),
    Kinds(killed, fun() -> exit(self(), kill) end),
    log(reports:during(fun() -> spawn(fun() -> error(oops) end) end)).

l53_what_a_server_report_says() ->
    Says = fun(Name, Callbacks, Cause) ->
        {ok, Srv} = server:start(Name, Callbacks),
        gen_server:cast(Srv, {set, 7}),
        [[Level, Kind, Fields] | _] = reports:during(fun() -> Cause(Srv) end),
        log([Level, Kind, Fields])
    end,
    Says(a, #{}, fun(Srv) -> gen_server:cast(Srv, {error, boom}) end),
    Says(b, #{}, fun(Srv) -> catch gen_server:call(Srv, {exit, boom}) end),
    Says(c, #{info => fun(bad, _) -> error(boom) end}, fun(Srv) -> Srv ! bad end),
    Says(d, #{register => l53_d}, fun(_) -> gen_server:cast(l53_d, {stop, {bad, 1}}) end),
    Says(e, #{}, fun(Srv) -> catch gen_server:call(Srv, {stop, boom, farewell}) end).

l54_what_a_crash_report_says() ->
    register(l54_main, self()),
    Wait = fun(wait, State) -> receive go -> {stop, boom, State} end; (_, _) -> default end,
    Report = fun(Callbacks, ParentTraps) ->
        Parent = actor:start(parent),
        register(l54_parent, Parent),
        actor:ask(Parent, fun() -> process_flag(trap_exit, ParentTraps) end),
        {ok, Srv} = actor:ask(Parent, fun() -> server:start_link(srv, Callbacks#{cast => Wait}) end),
        Reports = reports:during(fun() -> gen_server:cast(Srv, wait), Srv ! unread, Srv ! go end),
        [Fields] = [Fields || [error, crash_report, Fields] <- Reports],
        Keys = [class, reason, registered_name, ancestors, messages, message_queue_len, links, trap_exit, neighbours],
        [log([Key, maps:get(Key, Fields)]) || Key <- Keys],
        actor:kill(Parent)
    end,
    Report(#{}, false),
    log(['---', trapping_and_named]),
    Report(#{trap => true, register => l54_srv}, true).

l55_failed_starts() ->
    Inits = [{stop_boom, fun() -> {stop, boom} end}, {stop_normal, fun() -> {stop, normal} end},
             {stop_shutdown, fun() -> {stop, shutdown} end}, {ignore, fun() -> ignore end},
             {raises, fun() -> error(oops) end}, {exits, fun() -> exit(gone) end}],
    [log([Tag, reports:kinds(fun() -> server:start(srv, #{init => Init}) end)]) || {Tag, Init} <- Inits].

l56_terminate_that_fails() ->
    Kinds = fun(Tag, Callbacks, Cause) ->
        Reports = reports:during(fun() -> {ok, Srv} = server:start(srv, Callbacks), Cause(Srv) end),
        log([Tag, [[Kind, maps:get(reason, Fields)] || [_, Kind, Fields] <- Reports]])
    end,
    Raises = #{terminate => fun(_, _) -> error(oops) end},
    Exits = #{terminate => fun(_, _) -> exit(other) end},
    Kinds(stop_normal_raises, Raises, fun(Srv) -> gen_server:cast(Srv, {stop, normal}) end),
    Kinds(stop_boom_raises, Raises, fun(Srv) -> gen_server:cast(Srv, {stop, boom}) end),
    Kinds(stop_normal_exits, Exits, fun(Srv) -> gen_server:cast(Srv, {stop, normal}) end).

l57_supervisor_report_order() ->
    Show = fun([Level, Kind, Fields]) -> log([Level, Kind, maps:with([child, child_pid, context, reason], Fields)]) end,
    process_flag(trap_exit, true),
    {ok, Sup} = csup:start_link(sup, #{intensity => 1}, [cw:spec(a), cw:spec(b)]),
    log(['---', kill]),
    lists:foreach(Show, reports:during(fun() -> exit(csup:kid(Sup, a), kill) end)),
    log(['---', one_too_many]),
    lists:foreach(Show, reports:during(fun() -> cw:stop(csup:kid(Sup, b), boom) end)),
    log([mailbox, flush()]).
