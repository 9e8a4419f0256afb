%% Group H: state machines that change their callback module, and what statem.erl leaves open. This module logs as one;
%% statem_other, which enters no states, as other. An event is {Id, Result}.
-module(statem_modules).
-behaviour(gen_statem).
-export([h16_callback_modules/0, h17_callback_modules_that_fail/0, h18_absolute_times/0, h19_replies_of_a_stop/0,
         h20_entering_a_loop/0, h21_repeated_states/0]).
-export([init/1, callback_mode/0, handle_event/4, terminate/3, enter/1]).
-import(transcript, [log/1, settle/0, settle/1, ms/1]).

callback_mode() -> [handle_event_function, state_enter].
init({First, Actions}) -> {ok, First, data, Actions}.

handle_event(enter, Before, State, _) ->
    log([one, enter, Before, State]),
    case State of
        changes -> {keep_state_and_data, [{change_callback_module, statem_other}]};
        repeats -> case put(repeated, true) of true -> keep_state_and_data; _ -> {repeat_state_and_data, []} end;
        answers -> {stop_and_reply, left, [{reply, From, bye} || {From, waits} <- get()]};
        _ -> keep_state_and_data
    end;
handle_event(Kind, Event, State, Data) -> handle(one, Kind, Event, State, Data).

handle(Who, {call, From}, {Id, wait}, State, _) ->
    log([Who, Id, call, State]),
    put(From, waits),
    keep_state_and_data;
handle(Who, {call, From}, {Id, {over, Reason, Reply}}, State, _) ->
    log([Who, Id, call, State]),
    {stop_and_reply, Reason, [{reply, Other, everyone} || {Other, waits} <- get()] ++ [{reply, From, Reply}]};
handle(Who, Kind, {Id, Result}, State, _) ->
    log([Who, Id, case Kind of {timeout, N} -> [timeout, N]; K -> K end, State]),
    Result.

terminate({Why, {change_callback_module, _}}, State, _) -> log([terminate, Why, State]);
terminate({Why, {Action, _}}, State, _) -> log([terminate, Why, Action, State]);
terminate(Reason, State, _) -> log([terminate, Reason, State]).

start(First) -> start(First, []).
start(First, Actions) ->
    {ok, Pid} = gen_statem:start(?MODULE, {First, Actions}, []),
    transcript:bind(Pid, machine).

send(Pid, Id, Result) -> gen_statem:cast(Pid, {Id, Result}), settle(10).
keep(Actions) -> {keep_state_and_data, Actions}.
go(Next) -> {next_state, Next, data}.
go(Next, Actions) -> {next_state, Next, data, Actions}.
ev(Id) -> {Id, keep_state_and_data}.

h16_callback_modules() ->
    M = start(s1),
    send(M, a, keep([{push_callback_module, statem_other}, {next_event, internal, ev(inserted)}])),
    send(M, b, go(s2)),
    send(M, c, keep([pop_callback_module])),
    send(M, d, go(s3)),
    send(M, e, go(s4, [{change_callback_module, statem_other}])),
    send(M, f, keep([postpone])),
    send(M, g, go(s5, [{change_callback_module, ?MODULE}, {state_timeout, 20, ev(late)}])),
    settle(),
    Push = {push_callback_module, statem_other},
    send(M, h, keep([Push, {push_callback_module, ?MODULE}, Push])),
    send(M, i, keep([pop_callback_module, pop_callback_module])),
    send(M, j, keep_state_and_data),
    log([state, element(1, sys:get_state(M))]),
    log([ended, transcript:down(M, fun() -> gen_statem:stop(M) end)]),
    From_init = start(s1, [{change_callback_module, statem_other}]),
    send(From_init, k, go(s2)),
    log([ended, transcript:down(From_init, fun() -> gen_statem:stop(From_init) end)]).

h17_callback_modules_that_fail() ->
    M = start(s1),
    send(M, push, keep([{push_callback_module, statem_other}])),
    log([pop_too_often, element(1, transcript:down(M, fun() ->
        send(M, pops, keep([pop_callback_module, pop_callback_module, {state_timeout, 0, ev(never)}]))
    end))]),
    Enters = start(s1),
    {{Why, _}, _} = transcript:down(Enters, fun() -> send(Enters, enter, go(changes)) end),
    log([entering, Why]).

h18_absolute_times() ->
    Now = erlang:monotonic_time(millisecond),
    At = fun(Ms) -> Now + ms(Ms) end,
    M = start(s1, [{state_timeout, At(90), ev(st), [{abs, true}]}]),
    send(M, set, keep([{{timeout, past}, At(-60), ev(past), [{abs, true}]}, {timeout, 0, ev(zero)}])),
    send(M, cancelled, keep([{{timeout, a}, At(30), ev(never), [{abs, true}]}])),
    send(M, cancel, keep([{{timeout, a}, cancel}])),
    send(M, updated, keep([{{timeout, b}, At(60), ev(before), [{abs, true}]}])),
    send(M, update, keep([{{timeout, b}, update, ev(updated)}])),
    settle(ms(120)),
    log([ended, transcript:down(M, fun() -> gen_statem:stop(M) end)]).

h19_replies_of_a_stop() ->
    M = start(s1),
    Main = self(),
    Ask = fun(Tag) -> spawn(fun() -> Main ! {Tag, gen_statem:call(M, {Tag, wait})} end), settle(10) end,
    [Ask(Tag) || Tag <- [one, two]],
    log([down, transcript:down(M, fun() -> log([reply, gen_statem:call(M, {over, {over, done, you}})]) end)]),
    settle(),
    log([others, lists:sort(transcript:flush())]),
    Entered = start(s1),
    spawn(fun() -> Main ! {entered, gen_statem:call(Entered, {a, wait})} end),
    settle(10),
    log([down, transcript:down(Entered, fun() -> send(Entered, go, go(answers)) end)]),
    settle(),
    log([mailbox, transcript:flush()]).

enter(Actions) ->
    proc_lib:init_ack({ok, self()}),
    gen_statem:enter_loop(?MODULE, [], s1, data, Actions).

h20_entering_a_loop() ->
    {ok, M} = proc_lib:start_link(?MODULE, enter, [[{state_timeout, 20, ev(late)}, {next_event, internal, ev(first)}]]),
    unlink(M),
    settle(),
    send(M, a, go(s2)),
    log([state, element(1, sys:get_state(M))]),
    log([ended, transcript:down(M, fun() -> gen_statem:stop(M) end)]).

h21_repeated_states() ->
    M = start(s1),
    send(M, a, {repeat_state_and_data, [{state_timeout, 20, ev(late)}]}),
    send(M, p, keep([postpone])),
    send(M, b, {repeat_state_and_data, [{next_event, internal, ev(inserted)}]}),
    settle(),
    send(M, c, go(repeats)),
    send(M, d, {repeat_state_and_data, [postpone]}),
    send(M, e, go(s2)),
    log([ended, transcript:down(M, fun() -> gen_statem:stop(M) end)]).
