%% Timers that do more than send one message: OTP's timer.
-module(timers).
-export([t01_intervals/0, t02_functions/0, t03_exit_signals/0, t04_cancel/0]).
-import(transcript, [log/1, settle/0, settle/1, ms/1, flush/0, down/1]).

t01_intervals() ->
    A = actor:start(a),
    {ok, Own} = timer:send_interval(ms(60), self(), tick),
    settle(ms(210)),
    {ok, cancel} = timer:cancel(Own),
    log([every_interval, flush()]),
    Count = fun() -> {messages, Messages} = process_info(A, messages), length(Messages) end,
    register(listener, A),
    {ok, ByName} = timer:send_interval(ms(60), listener, tick),
    settle(ms(90)),
    unregister(listener),
    register(listener, self()),
    settle(ms(200)),
    log([when_the_name_moves, flush(), Count()]),
    unregister(listener),
    settle(ms(120)),
    register(listener, self()),
    settle(ms(110)),
    log([after_a_time_without_the_name, flush()]),
    actor:kill(A),
    flush(),
    settle(ms(120)),
    log([when_its_first_holder_is_dead, flush()]),
    log([cancelled, element(1, timer:cancel(ByName))]),
    log([to_the_dead, element(1, timer:send_interval(ms(60), A, tick))]),
    log([negative, element(1, timer:send_interval(-1, self(), tick))]).

t02_functions() ->
    Main = self(),
    Caller = spawn(fun() ->
        {ok, _} = timer:apply_interval(ms(60), erlang, send, [Main, again]),
        {ok, _} = timer:apply_after(ms(300), erlang, send, [Main, once]),
        settle(ms(150))
    end),
    normal = down(Caller),
    log([caller_is_dead, flush()]),
    settle(ms(300)),
    log([apply_interval_ends_with_it_and_apply_after_does_not, flush()]),
    {ok, Slow} = timer:apply_interval(ms(60), timer, apply_after, [0, erlang, send, [Main, begun]]),
    settle(ms(210)),
    {ok, cancel} = timer:cancel(Slow),
    log([runs, length(flush())]),
    {ok, Failing} = timer:apply_interval(ms(60), erlang, error, [oops]),
    settle(ms(210)),
    {ok, cancel} = timer:cancel(Failing),
    log([a_failing_run_ends_nothing, flush()]),
    {ok, _} = timer:apply_after(0, erlang, send, [Main, soon]),
    settle(),
    log([at_once, flush()]),
    log([no_function, element(1, timer:apply_after(10, 7, 7, 7))]).

t03_exit_signals() ->
    [A, B, C] = [actor:start(Name) || Name <- [a, b, c]],
    Refs = [monitor(process, Pid) || Pid <- [A, B]],
    {ok, _} = timer:exit_after(ms(60), A, boom),
    {ok, _} = timer:kill_after(ms(120), B),
    {ok, Kept} = timer:kill_after(ms(60), C),
    {ok, cancel} = timer:cancel(Kept),
    settle(ms(200)),
    log([ended, [down(Ref) || Ref <- Refs], is_process_alive(C)]),
    T = actor:trapping(t),
    {ok, _} = timer:exit_after(ms(10), T, boom),
    {ok, _} = timer:exit_after(ms(70), T, normal),
    settle(ms(130)),
    log([trapped, [Reason || {'EXIT', _, Reason} <- element(2, process_info(T, messages))]]),
    {ok, _} = timer:kill_after(ms(10), T),
    log([kill, down(T)]),
    {ok, _} = timer:exit_after(ms(10), T, boom),
    settle(),
    D = actor:start(d),
    {ok, _} = timer:exit_after(ms(10), D, normal),
    settle(),
    log([normal_ends_nobody, is_process_alive(D)]).

t04_cancel() ->
    Main = self(),
    {ok, Once} = timer:apply_after(ms(60), erlang, send, [Main, once]),
    {ok, Often} = timer:send_interval(ms(60), Main, tick),
    A = actor:start(a),
    log([by_another, [element(1, actor:ask(A, fun() -> timer:cancel(Ref) end)) || Ref <- [Once, Often]]]),
    settle(ms(150)),
    log([nothing_came, flush()]),
    log([a_wrong_one, element(1, timer:cancel(wrong))]).
