%% Group G: what the recorded transcripts leave open about generic servers.
-module(gen_server_cases).
-export([g51_call_timeout_and_late_reply/0, g52_start_timeout/0, g53_failed_start_and_its_starter/0,
         g54_deferred_replies/0, g55_stop/0, g56_casts_never_fail/0, g57_one_sender_is_served_in_order/0,
         g58_stop_with_reply_order/0, g59_names_of_servers/0, g60_a_system_message_renews_the_timeout/0,
         g61_continue_order/0, g62_parents_and_terminate/0, g63_calls_within_calls/0, g64_timeout_returns/0, g65_requests/0, g66_any_value_is_a_reply/0,
         g67_a_timeout_and_those_who_hold_the_server/0]).
-import(transcript, [log/1, settle/0, settle/1, ms/1, flush/0, attempt/1, down/1, down/2]).

g51_call_timeout_and_late_reply() ->
    {ok, Srv} = server:start(srv),
    log([timeout, attempt(fun() -> gen_server:call(Srv, {sleep, 80, late}, 30) end)]),
    settle(120),
    log([no_late_reply, flush()]),
    log([server_unaffected, gen_server:call(Srv, ping)]),
    log([never_answered, attempt(fun() -> gen_server:call(Srv, ignored, 20) end)]),
    {_, Ref} = spawn_monitor(fun() -> gen_server:call(Srv, ignored, 20) end),
    log([a_caller_that_does_not_catch_it, down(Ref)]),
    log([zero_timeout, attempt(fun() -> gen_server:call(Srv, {sleep, 20, late}, 0) end)]),
    settle(),
    log([mailbox, flush(), alive, is_process_alive(Srv)]).

g52_start_timeout() ->
    process_flag(trap_exit, true),
    Slow = #{init => fun() -> settle(300), log([never_logged]), {ok, 0} end, register => g52},
    log([start_link, server:start_link(srv, Slow, [{timeout, 30}])]),
    log([name_free, whereis(g52), mailbox, flush()]),
    log([start, server:start(srv, Slow, [{timeout, 30}])]),
    log([name_free, whereis(g52), mailbox, flush()]),
    settle(400),
    log([mailbox, flush()]),
    {ok, Srv} = server:start_link(srv, #{init => fun() -> settle(20), {ok, 0} end}, [{timeout, 5000}]),
    log([in_time, gen_server:call(Srv, ping)]).

g53_failed_start_and_its_starter() ->
    Starts = fun(Tag, Start, Init) ->
        {_, Ref} = spawn_monitor(fun() ->
            Result = server:Start(srv, #{init => Init}),
            settle(20),
            exit({survived, Result})
        end),
        log([Tag, Start, down(Ref)])
    end,
    Inits = [{stop_boom, fun() -> {stop, boom} end}, {stop_normal, fun() -> {stop, normal} end},
             {stop_shutdown, fun() -> {stop, shutdown} end}, {ignore, fun() -> ignore end},
             {raises, fun() -> error(oops) end}, {exits, fun() -> exit(gone) end},
             {killed, fun() -> exit(self(), kill), settle() end}],
    [Starts(Tag, Start, Init) || {Tag, Init} <- Inits, Start <- [start_link, start]].

g54_deferred_replies() ->
    Main = self(),
    Keep = fun(keep, From, State) -> Main ! {kept, From}, {noreply, State}; (_, _, _) -> default end,
    {ok, Srv} = server:start(srv, #{call => Keep}),
    Ask = fun(Name) ->
        Client = actor:start(Name),
        actor:tell(Client, fun() -> log([Name, gen_server:call(Srv, keep)]), Main ! done end),
        receive {kept, From} -> {Client, From} end
    end,
    {_, From1} = Ask(c1),
    {C2, From2} = Ask(c2),
    {_, From3} = Ask(c3),
    gen_server:reply(From3, from_main),
    receive done -> ok end,
    actor:kill(C2),
    gen_server:reply(From2, to_a_dead_client),
    Another = actor:start(another),
    actor:ask(Another, fun() -> gen_server:reply(From1, from_another) end),
    receive done -> ok end,
    gen_server:reply(From1, a_second_one),
    settle(),
    log([server, gen_server:call(Srv, ping)]),
    {C4, _} = Ask(c4),
    Ref = monitor(process, C4),
    gen_server:cast(Srv, {stop, boom}),
    log([server_gone_before_the_reply, down(Ref)]),
    log([mailbox, flush()]).

g55_stop() ->
    {ok, A} = server:start(a),
    log([normal, gen_server:stop(A), is_process_alive(A)]),
    {ok, B} = server:start(b),
    Ref = monitor(process, B),
    log([with_reason, gen_server:stop(B, boom, 1000), down(Ref)]),
    log([dead, reason(attempt(fun() -> gen_server:stop(B) end))]),
    log([unknown_name, reason(attempt(fun() -> gen_server:stop(no_such_server) end))]),
    {ok, C} = server:start(c, #{terminate => fun(_, _) -> error(oops) end}),
    log([terminate_raises, reason(attempt(fun() -> gen_server:stop(C) end))]),
    {ok, D} = server:start(d, #{terminate => fun(_, _) -> exit(other) end}),
    log([terminate_exits, reason(attempt(fun() -> gen_server:stop(D) end))]),
    {ok, E} = server:start(e, #{terminate => fun(_, _) -> settle(80), log([e, done]) end}),
    log([waits, gen_server:stop(E), is_process_alive(E)]),
    {ok, F} = server:start(f, #{cast => fun(wait, _) -> receive go -> ok end end}),
    gen_server:cast(F, wait),
    log([timeout, reason(attempt(fun() -> gen_server:stop(F, normal, 30) end)), is_process_alive(F)]),
    log([mailbox, flush()]).

%% The reason alone: Erlang exits with it, Elixir says in addition that it was stop.
reason([exit, {Reason, {_, stop, _}}]) -> Reason;
reason([exit, Reason]) -> Reason;
reason(Other) -> Other.

g56_casts_never_fail() ->
    {ok, Srv} = server:start(srv),
    log([cast, attempt(fun() -> gen_server:cast(Srv, hello) end)]),
    log([served, gen_server:call(Srv, ping)]),
    gen_server:stop(Srv),
    log([dead, attempt(fun() -> gen_server:cast(Srv, hello) end)]),
    log([unknown_name, attempt(fun() -> gen_server:cast(no_such_server, hello) end)]),
    Plain = actor:start(plain),
    log([not_a_server, attempt(fun() -> gen_server:cast(Plain, hello) end)]),
    log([mailbox, flush()]).

g57_one_sender_is_served_in_order() ->
    {ok, Srv} = server:start(srv),
    gen_server:cast(Srv, c1),
    Srv ! i1,
    gen_server:cast(Srv, inc),
    log([state, gen_server:call(Srv, get)]),
    Srv ! i2,
    gen_server:cast(Srv, c2),
    log([set, gen_server:call(Srv, {set, 10})]),
    Srv ! i3,
    gen_server:cast(Srv, {stop, normal}),
    log([after_stop, attempt(fun() -> gen_server:call(Srv, get) end)]).

g58_stop_with_reply_order() ->
    process_flag(trap_exit, true),
    Slowly = fun(Reason, _) -> settle(20), log([get(name), terminate, Reason]) end,
    {ok, Srv} = server:start_link(srv, #{terminate => Slowly}),
    log([reply, gen_server:call(Srv, {stop, boom, farewell})]),
    log([then_exit, receive {'EXIT', Srv, Reason} -> Reason end]),
    {ok, S2} = server:start_link(s2, #{terminate => fun(_, _) -> error(oops) end}),
    log([terminate_fails, attempt(fun() -> gen_server:call(S2, {stop, normal, farewell}) end)]),
    log([then_exit, receive {'EXIT', S2, Reason2} -> Reason2 end]),
    Early = fun(early, From, State) -> gen_server:reply(From, early), {stop, boom, State}; (_, _, _) -> default end,
    {ok, S3} = server:start_link(s3, #{call => Early, terminate => Slowly}),
    log([replied_early, gen_server:call(S3, early)]),
    log([then_exit, receive {'EXIT', S3, Reason3} -> Reason3 end]),
    log([mailbox, flush()]).

g59_names_of_servers() ->
    process_flag(trap_exit, true),
    Named = #{register => g59},
    {ok, A} = server:start(a, Named),
    log([start_under_a_taken_name, server:start(b, Named)]),
    log([start_link_under_a_taken_name, server:start_link(b, Named), mailbox, flush()]),
    gen_server:cast(g59, by_name),
    g59 ! info_by_name,
    log([call, gen_server:call(g59, ping)]),
    Ref = monitor(process, A),
    gen_server:cast(A, {stop, boom}),
    log([free_at_down, down(Ref), whereis(g59)]),
    Seen = #{register => g59, init => fun() -> log([name_in_init, whereis(g59)]), {stop, nope} end},
    log([failed, server:start(c, Seen), whereis(g59)]),
    log([raised, element(1, server:start(c, #{register => g59, init => fun() -> error(oops) end})), whereis(g59)]),
    {ok, D} = server:start(d, Named),
    exit(D, kill),
    log([killed, down(D)]),
    {ok, E} = server:start(e, Named),
    log([again, whereis(g59), gen_server:call(g59, ping)]),
    log([second_name, attempt(fun() -> register(g59_too, E) end)]),
    unregister(g59),
    log([unregistered, attempt(fun() -> gen_server:call(g59, ping) end), gen_server:call(E, ping)]),
    log([mailbox, flush()]).

g60_a_system_message_renews_the_timeout() ->
    {ok, Srv} = server:start(srv, #{init => fun() -> {ok, 0, 400} end}),
    settle(200),
    log([state, sys:get_state(Srv)]),
    settle(300),
    log([not_yet]),
    settle(300),
    log([then, gen_server:call(Srv, ping)]).

g67_a_timeout_and_those_who_hold_the_server() ->
    {ok, Held} = server:start(held, #{init => fun() -> {ok, 0, 200} end}),
    sys:suspend(Held),
    settle(400),
    log([no_timeout_while_suspended]),
    sys:get_state(Held),
    sys:resume(Held),
    settle(100),
    log([begun_anew]),
    settle(200),
    {ok, Told} = server:start(told, #{init => fun() -> {ok, 0, 200} end}),
    sys:suspend(Told),
    Told ! queued,
    sys:resume(Told),
    settle(400),
    log([cancelled_by_what_came_meanwhile]),
    {ok, Asked} = server:start(asked, #{init => fun() -> {ok, 0, 200} end}),
    erlang:suspend_process(Asked),
    [spawn(fun() -> sys:get_state(Asked) end) || _ <- [1, 2, 3]],
    settle(20),
    erlang:resume_process(Asked),
    settle(100),
    log([several_questions]),
    settle(200).

g61_continue_order() ->
    Step = fun({more, 0}, State) -> log([srv, continue, last]), {noreply, State};
              ({more, N}, State) -> log([srv, continue, N]), {noreply, State, {continue, {more, N - 1}}};
              (stop_now, State) -> log([srv, continue, stop_now]), {stop, done, State};
              (then_timeout, State) -> log([srv, continue, then_timeout]), {noreply, State, 0};
              (_, _) -> default
           end,
    Main = self(),
    Call = fun({later, Then}, From, State) -> Main ! {kept, From}, {noreply, State, {continue, Then}};
              ({now, Then}, _, State) -> {reply, now, State, {continue, Then}};
              (_, _, _) -> default
           end,
    Cast = fun({continue, Then}, State) -> {noreply, State, {continue, Then}}; (_, _) -> default end,
    {ok, Srv} = server:start(srv, #{call => Call, cast => Cast, continue => Step, info =>
        fun({continue, Then}, State) -> {noreply, State, {continue, Then}}; (_, _) -> default end}),
    gen_server:cast(Srv, {continue, {more, 2}}),
    gen_server:cast(Srv, queued),
    log([call, gen_server:call(Srv, ping)]),
    Srv ! {continue, {more, 0}},
    Srv ! queued,
    log([call, gen_server:call(Srv, ping)]),
    Client = actor:start(client),
    actor:tell(Client, fun() -> log([client, gen_server:call(Srv, {later, {more, 1}})]), Main ! done end),
    receive {kept, From} -> ok end,
    log([call, gen_server:call(Srv, ping)]),
    gen_server:reply(From, answered),
    receive done -> ok end,
    gen_server:cast(Srv, {continue, then_timeout}),
    settle(),
    Ref = monitor(process, Srv),
    gen_server:cast(Srv, {continue, stop_now}),
    gen_server:cast(Srv, never_seen),
    log([down, down(Ref)]).

g62_parents_and_terminate() ->
    [begin
         Parent = actor:start(parent),
         {ok, Srv} = actor:ask(Parent, fun() -> server:start_link(srv, #{trap => Trap}) end),
         log(['---', [trap, Trap], How]),
         Ref = monitor(process, Srv),
         parent_ends(Parent, How),
         settle(),
         case is_process_alive(Srv) of
             true -> log([alive]), actor:kill(Srv);
             false -> log([down, down(Ref)])
         end
     end || Trap <- [false, true], How <- [killed, normal, boom, unlinked]].

parent_ends(Parent, killed) -> exit(Parent, kill);
parent_ends(Parent, unlinked) ->
    actor:ask(Parent, fun() -> [unlink(Pid) || Pid <- element(2, process_info(self(), links))] end),
    exit(Parent, kill);
parent_ends(Parent, Reason) -> actor:tell(Parent, fun() -> exit(Reason) end).

g63_calls_within_calls() ->
    Through = fun({through, Next, Request, Timeout}, _, State) -> {reply, gen_server:call(Next, Request, Timeout), State};
                 (_, _, _) -> default end,
    Start = fun(Name) -> {ok, Pid} = server:start(Name, #{call => Through}), Pid end,
    A = Start(a), B = Start(b),
    log([through, gen_server:call(A, {through, B, ping, 5000})]),
    log([inner_server_died, attempt(fun() -> gen_server:call(A, {through, B, {stop, boom}, 5000}) end)]),
    log([alive, is_process_alive(A), is_process_alive(B)]),
    C = Start(c), D = Start(d),
    log([circle, attempt(fun() -> gen_server:call(C, {through, D, {through, C, ping, 40}, 5000}) end)]),
    E = Start(e),
    log([calls_itself, attempt(fun() -> gen_server:call(E, {through, E, ping, 5000}) end)]),
    log([mailbox, flush()]).

g64_timeout_returns() ->
    Call = fun({reply_then, Timeout}, _, State) -> {reply, ok, State, Timeout}; (_, _, _) -> default end,
    Cast = fun({then, Timeout}, State) -> {noreply, State, Timeout}; (_, _) -> default end,
    Info = fun(timeout, State) -> log([srv, timeout]), {noreply, State}; (_, _) -> default end,
    {ok, Srv} = server:start(srv, #{call => Call, cast => Cast, info => Info}),
    log([after_a_reply, gen_server:call(Srv, {reply_then, ms(20)})]),
    settle(ms(60)),
    gen_server:cast(Srv, {then, ms(40)}),
    settle(ms(20)),
    gen_server:cast(Srv, cancels_it),
    settle(ms(80)),
    log([no_timeout]),
    gen_server:cast(Srv, {then, ms(40)}),
    settle(ms(20)),
    log([a_call_cancels_it, gen_server:call(Srv, ping)]),
    settle(ms(80)),
    gen_server:cast(Srv, {then, ms(20)}),
    gen_server:cast(Srv, {then, 0}),
    settle(ms(80)),
    gen_server:cast(Srv, {then, infinity}),
    settle(ms(80)),
    log([once_each]).

g65_requests() ->
    {ok, Srv} = server:start(srv, #{register => g65}),
    Request = gen_server:send_request(Srv, ping),
    log([another_message, gen_server:check_response(something_else, Request)]),
    log([its_reply, gen_server:check_response(receive Message -> Message end, Request)]),
    log([by_name, gen_server:receive_response(gen_server:send_request(g65, get), 5000)]),
    {ok, Other} = server:start(other),
    Slow = gen_server:send_request(Srv, {sleep, 60, slow}),
    Quick = gen_server:send_request(Other, ping),
    log([quick, gen_server:receive_response(Quick, 5000)]),
    log([slow, gen_server:wait_response(Slow, 5000)]),
    Last = gen_server:send_request(Other, {stop, normal, farewell}),
    log([reply_of_one_that_stops, gen_server:receive_response(Last, 5000)]),
    Abandoned = gen_server:send_request(Srv, never_answered),
    log([abandoned, gen_server:receive_response(Abandoned, 20)]),
    log([a_second_time, gen_server:receive_response(Abandoned, 20)]),
    Kept = gen_server:send_request(Srv, never_answered),
    log([kept, gen_server:wait_response(Kept, 20)]),
    gen_server:cast(Srv, {stop, boom}),
    log([then_it_died, gen_server:wait_response(Kept, 5000)]),
    settle(),
    log([mailbox, flush()]).

g66_any_value_is_a_reply() ->
    {ok, Srv} = server:start(srv),
    [begin
         log([was, gen_server:call(Srv, {set, Value})]),
         log([reply, gen_server:call(Srv, get)])
     end || Value <- [undefined, false, [], ok, {reply, x}, {error, x}, timeout, #{a => 1}]],
    log([attempt(fun() -> gen_server:call(Srv, {stop, normal, undefined}) end)]).
