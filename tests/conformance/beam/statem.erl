%% A gen_statem that is told with each event what to do in which state: an event is {Id, #{State => Result}}. It logs
%% what it handles: the id, the kind of the event, the state. Without a result it keeps its state.
-module(statem).
-behaviour(gen_statem).
-export([start/1, start/2, send/3, send/2, h01_state_changes_and_postponed_events/0, h02_timeouts/0, h03_inserted_events/0,
         h04_entering_states/0, h05_calls_and_ends/0]).
-export([init/1, callback_mode/0, handle_event/4, terminate/3]).
-import(transcript, [log/1, settle/0, settle/1]).

start(First) -> start(First, []).
start(First, Actions) ->
    {ok, Pid} = gen_statem:start(?MODULE, {First, Actions, get(enter)}, []),
    transcript:bind(Pid, machine),
    Pid.

send(Pid, Id) -> send(Pid, Id, #{}).
send(Pid, Id, Results) -> gen_statem:cast(Pid, {Id, Results}).

callback_mode() -> case get(enter) of true -> [handle_event_function, state_enter]; _ -> handle_event_function end.

init({First, Actions, Enter}) -> put(enter, Enter), {ok, First, data, Actions}.

handle_event(enter, Before, State, _) ->
    log([enter, Before, State]),
    case Before of
        slow -> {keep_state_and_data, [{state_timeout, 20, {late, #{}}}]};
        _ -> keep_state_and_data
    end;
handle_event(Kind, {Id, Results}, State, _) ->
    log([Id, case Kind of {call, _} -> call; {timeout, N} -> [timeout, N]; K -> K end, State]),
    case {Kind, maps:get(State, Results, maps:get(any, Results, keep_state_and_data))} of
        {{call, From}, {answer, Reply}} -> {keep_state_and_data, [{reply, From, Reply}]};
        {{call, From}, {answer, Reply, Next}} -> {next_state, Next, data, [{reply, From, Reply}]};
        {_, {answer, _}} -> keep_state_and_data;
        {_, Result} -> Result
    end.

terminate(Reason, State, _) -> log([terminate, Reason, State]).

go(Next) -> {next_state, Next, data}.
go(Next, Actions) -> {next_state, Next, data, Actions}.
keep(Actions) -> {keep_state_and_data, Actions}.
ev(Id) -> {Id, #{}}.
ev(Id, Results) -> {Id, Results}.

h01_state_changes_and_postponed_events() ->
    M = start(s1),
    Postponed = #{s1 => keep([postpone])},
    send(M, p1, Postponed), send(M, p2, Postponed), send(M, q),
    send(M, same, #{s1 => go(s1)}),
    send(M, change, #{s1 => go(s2)}),
    send(M, after_it),
    settle(),
    send(M, p3, #{s2 => keep([postpone]), s1 => keep([postpone])}),
    send(M, p4, #{s2 => keep([postpone])}),
    send(M, back, #{s2 => go(s1)}),
    settle(),
    send(M, repeat, #{s1 => {repeat_state_and_data, []}}),
    send(M, over, #{s1 => go(s3, [postpone]), s3 => go(s4)}),
    settle(),
    log([ended, transcript:down(M, fun() -> gen_statem:stop(M) end)]).

h02_timeouts() ->
    M = start(s1, [{state_timeout, 30, ev(st)}, {{timeout, name}, 60, ev(named)}]),
    settle(100),
    send(M, set, #{s1 => keep([{state_timeout, 30, ev(cancelled_by_change)}, {{timeout, a}, 40, ev(survives)}])}),
    send(M, change, #{s1 => go(s2)}),
    settle(90),
    send(M, set, #{s2 => keep([{timeout, 30, ev(cancelled_by_event)}])}),
    send(M, other),
    settle(90),
    send(M, set, #{s2 => keep([{timeout, 30, ev(idle)}])}),
    settle(90),
    send(M, replace, #{s2 => keep([{{timeout, a}, 20, ev(replaced)}, {{timeout, a}, 40, ev(stays)}])}),
    settle(90),
    send(M, cancel, #{s2 => keep([{{timeout, a}, 20, ev(never)}, {{timeout, a}, infinity, x}])}),
    settle(90),
    send(M, zero, #{s2 => keep([{state_timeout, 0, ev(now)}, {next_event, internal, ev(inserted)}])}),
    send(M, later),
    settle(),
    send(M, change_with, #{s2 => go(s3, [{state_timeout, 30, ev(in_s3)}])}),
    send(M, same, #{s3 => go(s3)}),
    settle(90),
    log([ended, transcript:down(M, fun() -> gen_statem:stop(M) end)]).

h03_inserted_events() ->
    M = start(s1, [{next_event, internal, ev(first)}]),
    settle(),
    send(M, p, #{s1 => keep([postpone])}),
    settle(),
    send(M, go, #{s1 => go(s2, [{next_event, internal, ev(i1, #{s2 => keep([{next_event, cast, ev(nested)}])})},
                                {next_event, info, ev(i2)}])}),
    send(M, queued),
    settle(),
    log([ended, transcript:down(M, fun() -> gen_statem:stop(M) end)]).

h04_entering_states() ->
    put(enter, true),
    M = start(s1, [{next_event, internal, ev(first)}]),
    settle(),
    send(M, same, #{s1 => go(s1)}),
    send(M, go, #{s1 => go(slow, [{next_event, internal, ev(inserted)}])}),
    send(M, on, #{slow => go(s3)}),
    settle(90),
    send(M, repeat, #{s3 => {repeat_state_and_data, []}}),
    settle(),
    erase(enter),
    log([ended, transcript:down(M, fun() -> gen_statem:stop(M) end)]).

h05_calls_and_ends() ->
    M = start(s1),
    log([call, gen_statem:call(M, {c1, #{s1 => {answer, yes}}})]),
    log([call, gen_statem:call(M, {c2, #{s1 => {answer, moved, s2}}})]),
    Asker = self(),
    spawn(fun() -> Asker ! {answered, gen_statem:call(M, {c3, #{s2 => keep([postpone]), s3 => {answer, at_last}}})} end),
    settle(),
    send(M, go, #{s2 => go(s3)}),
    log([postponed_call, receive {answered, What} -> What after 1000 -> nothing end]),
    M ! {message, #{}},
    settle(),
    log([stop, transcript:down(M, fun() -> send(M, stop, #{s3 => {stop, done}}) end)]),
    log([dead, try gen_statem:call(M, {c4, #{}}) catch exit:{Why, _} -> Why end]),
    N = start(s1),
    {Reason, [_ | _]} = transcript:down(N, fun() -> send(N, bad, #{s1 => nonsense}) end),  % with the stack
    log([bad, Reason]).
