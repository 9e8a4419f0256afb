%% A gen_statem that is told with each event what to do in which state: an event is {Id, #{State => Result}}. It logs
%% what it handles: the id, the kind of the event, the state. Without a result it keeps its state.
-module(statem).
-behaviour(gen_statem).
-export([start/1, start/2, send/3, send/2, h01_state_changes_and_postponed_events/0, h02_timeouts/0, h03_inserted_events/0,
         h04_entering_states/0, h05_calls_and_ends/0, h06_timeouts_of_no_time/0, h07_cancelled_and_updated_timeouts/0,
         h09_ends_while_entering/0, h10_stop_and_reply/0, h11_sys/0, h12_what_init_returns/0,
         h13_event_timeouts/0, h14_replies/0, h15_inserted_events_of_every_kind/0,
         h22_timeouts_of_one_transition/0]).
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

init({returns, Result}) -> Result;
init({First, Actions, Enter}) -> put(enter, Enter), {ok, First, data, Actions}.

handle_event(enter, Before, State, _) ->
    log([enter, Before, State]),
    case State of
        stops -> {stop, from_enter};
        leaves -> {next_state, elsewhere, data};
        postpones -> {keep_state_and_data, [postpone]};
        inserts -> {keep_state_and_data, [{next_event, internal, ev(never)}]};
        same -> {next_state, same, data, [{state_timeout, 20, ev(in_same)}]};
        _ when Before =:= slow -> {keep_state_and_data, [{state_timeout, 20, {late, #{}}}]};
        _ -> keep_state_and_data
    end;
handle_event(Kind, {Id, Results}, State, _) ->
    log([Id, case Kind of {call, _} -> call; {timeout, N} -> [timeout, N]; K -> K end, State]),
    case {Kind, maps:get(State, Results, maps:get(any, Results, keep_state_and_data))} of
        {{call, From}, {answer, Reply}} -> {keep_state_and_data, [{reply, From, Reply}]};
        {{call, From}, {answer_and_stop, Reply, Reason}} -> {stop_and_reply, Reason, [{reply, From, Reply}]};
        {{call, From}, {insert_call, Event}} -> {keep_state_and_data, [{next_event, {call, From}, Event}]};
        {{call, From}, {answer, Reply, Next}} -> {next_state, Next, data, [{reply, From, Reply}]};
        {_, {answer, _}} -> keep_state_and_data;
        {_, Result} -> Result
    end.

terminate({Reason, _}, State, _) when Reason =:= bad_state_enter_return_from_state_function;
                                      Reason =:= bad_state_enter_action_from_state_function ->
    log([terminate, Reason, State]);
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

h06_timeouts_of_no_time() ->
    M = start(s1),
    send(M, p, #{s1 => keep([postpone])}),
    send(M, go, #{s1 => go(s2, [{state_timeout, 0, ev(zero)}, {next_event, internal, ev(inserted)}])}),
    send(M, queued),
    settle(),
    send(M, three, #{s2 => keep([{{timeout, a}, 0, ev(a)}, {state_timeout, 0, ev(b)}, {{timeout, c}, 0, ev(c)}])}),
    settle(),
    send(M, twice, #{s2 => keep([{{timeout, a}, 0, ev(a)}, {state_timeout, 0, ev(b)}, {{timeout, a}, 0, ev(a2)}])}),
    settle(),
    send(M, event, #{s2 => keep([{timeout, 0, ev(cancelled)}, {next_event, internal, ev(cancels)}])}),
    settle(),
    send(M, event, #{s2 => keep([{timeout, 0, ev(before_any_message)}])}),
    send(M, message),
    settle(),
    send(M, enters, #{s2 => go(s3, [{state_timeout, 0, ev(of_s3)}])}),
    settle(),
    send(M, leaves, #{s3 => keep([{state_timeout, 0, ev(never)}, {next_event, internal, ev(on, #{s3 => go(s4)})}])}),
    settle(),
    send(M, cancels, #{s4 => keep([{state_timeout, 0, ev(never)}, {state_timeout, infinity, x}])}),
    settle(),
    log([ended, transcript:down(M, fun() -> gen_statem:stop(M) end)]).

h07_cancelled_and_updated_timeouts() ->
    M = start(s1),
    send(M, set, #{s1 => keep([{{timeout, a}, 60, ev(first)}])}),
    send(M, update, #{s1 => keep([{{timeout, a}, update, ev(second)}])}),
    settle(150),
    send(M, nothing_to_update, #{s1 => keep([{{timeout, b}, update, ev(at_once)}])}),
    settle(),
    send(M, in_one_go, #{s1 => keep([{{timeout, a}, 30, ev(one)}, {{timeout, a}, update, ev(two)}])}),
    settle(120),
    send(M, set, #{s1 => keep([{state_timeout, 60, ev(never)}])}),
    send(M, cancel, #{s1 => keep([{state_timeout, cancel}])}),
    settle(150),
    send(M, nothing_to_cancel, #{s1 => keep([{state_timeout, cancel}, {timeout, cancel}, {{timeout, a}, cancel}])}),
    settle(),
    send(M, set, #{s1 => keep([{timeout, 60, ev(gone)}])}),
    send(M, update, #{s1 => keep([{timeout, update, ev(at_once_too)}])}),
    settle(150),
    send(M, set, #{s1 => keep([{state_timeout, 60, ev(gone_with_its_state)}])}),
    send(M, change, #{s1 => go(s2, [{state_timeout, update, ev(of_s2)}])}),
    settle(150),
    log([ended, transcript:down(M, fun() -> gen_statem:stop(M) end)]).

h22_timeouts_of_one_transition() ->
    M = start(s1),
    send(M, updated, #{s1 => keep([{{timeout, a}, 60, ev(never)}, {{timeout, a}, update, ev(at_once)}])}),
    send(M, next),
    settle(150),
    send(M, set, #{s1 => keep([{{timeout, a}, 60, ev(first)}])}),
    send(M, not_cancelled, #{s1 => keep([{{timeout, a}, cancel}, {{timeout, a}, update, ev(second)}])}),
    send(M, next),
    settle(150),
    send(M, set_again, #{s1 => keep([{{timeout, a}, 0, ev(never)}, {{timeout, a}, 60, ev(later)}])}),
    send(M, next),
    settle(150),
    send(M, of_no_time, #{s1 => keep([{{timeout, a}, 0, ev(never)}, {state_timeout, 0, ev(of_state)},
                                      {{timeout, a}, 0, ev(last)}])}),
    settle(),
    log([ended, transcript:down(M, fun() -> gen_statem:stop(M) end)]),
    put(enter, true),
    E = start(slow),
    erase(enter),
    settle(),
    send(E, leave, #{slow => go(s2, [{state_timeout, 0, ev(never)}])}),
    settle(90),
    log([ended, transcript:down(E, fun() -> gen_statem:stop(E) end)]).

%% In statem's own way of being told: a machine that enters State, and how it ended.
h09_ends_while_entering() ->
    [begin
        put(enter, true),
        M = start(s1),
        erase(enter),
        settle(),
        Down = transcript:down(M, fun() -> send(M, go, #{s1 => go(State)}), settle(90), catch gen_statem:stop(M) end),
        log([State, case Down of {{Reason, _}, [_ | _]} -> Reason; Reason -> Reason end])
     end || State <- [same, stops, leaves, postpones, inserts]].

h10_stop_and_reply() ->
    M = start(s1),
    Asker = self(),
    spawn(fun() -> Asker ! {waits, catch gen_statem:call(M, {waits, #{s1 => keep([postpone])}})} end),
    settle(),
    log([down, transcript:down(M, fun() -> log([reply, gen_statem:call(M, {over, #{s1 => {answer_and_stop, bye, done}}})]) end)]),
    receive {waits, {'EXIT', {Reason, _}}} -> log([waits, Reason]) end.

h11_sys() ->
    M = start(s1),
    {s1, data} = sys:get_state(M),
    log([state, s1]),
    send(M, p, #{s1 => keep([postpone])}),
    settle(),
    sys:replace_state(M, fun({s1, Data}) -> {s2, Data} end),
    send(M, in_s2),
    settle(),
    send(M, go, #{s2 => go(s3, [{state_timeout, 20, ev(while_held)}])}),
    settle(1),
    sys:suspend(M),
    send(M, held),
    settle(90),
    log([resume]),
    sys:resume(M),
    settle(),
    log([ended, transcript:down(M, fun() -> gen_statem:stop(M) end)]).

begins(Result) ->
    case gen_statem:start(?MODULE, {returns, Result}, []) of
        {ok, Pid} -> settle(), gen_statem:stop(Pid), ok;
        {error, {Reason, [_ | _]}} -> Reason;  % with the stack
        Other -> Other
    end.

h12_what_init_returns() ->
    log([ignore, begins(ignore)]),
    log([stop, begins({stop, why})]),
    log([action, begins({ok, s1, data, [{next_event, internal, ev(inserted)}, {state_timeout, 0, ev(zero)}]})]),
    {error, {bad_return_from_init, _}} = begins(nonsense),
    log([bad_return_from_init]),
    {error, {Nothing, _}} = begins(ok),
    log([nothing, Nothing]).

h13_event_timeouts() ->
    M = start(s1),
    send(M, p, #{s1 => keep([postpone])}),
    send(M, go, #{s1 => go(s2, [{timeout, 30, ev(cancelled_by_a_retry)}])}),
    settle(90),
    send(M, set, #{s2 => keep([{timeout, 30, ev(cancelled_by_an_insertion)}, {next_event, internal, ev(inserted)}])}),
    settle(90),
    send(M, set, #{s2 => keep([{timeout, 30, ev(cancelled_by_a_timeout)}, {{timeout, a}, 10, ev(a)}])}),
    settle(90),
    send(M, set, #{s2 => go(s3, [{timeout, 30, ev(survives_the_change)}])}),
    settle(90),
    send(M, set, #{s3 => keep([postpone, {timeout, 30, ev(of_a_postponed_event, #{s3 => go(s4)})}])}),
    settle(90),
    log([ended, transcript:down(M, fun() -> gen_statem:stop(M) end)]).

h14_replies() ->
    M = start(s1),
    log([timeout, try gen_statem:call(M, ev(unanswered), 30) catch exit:{Why, _} -> Why end]),
    log([inserted, gen_statem:call(M, {asks, #{s1 => {insert_call, {inserted, #{s1 => {answer, of_the_insertion}}}}}})]),
    log([call, gen_statem:call(M, {then, #{s1 => {answer, yes, s2}}})]),
    log([noproc, try gen_statem:call(nobody, x) catch exit:{Reason, _} -> Reason end]),
    log([ended, transcript:down(M, fun() -> gen_statem:stop(M, over, 1000) end)]).

h15_inserted_events_of_every_kind() ->
    M = start(s1),
    Kinds = [cast, info, internal, timeout, state_timeout, {timeout, name}],
    send(M, go, #{s1 => keep([{next_event, Kind, ev(Id)} || {Kind, Id} <- lists:zip(Kinds, [a, b, c, d, e, f])])}),
    settle(),
    Nested = ev(third, #{s1 => keep([{next_event, internal, ev(fourth)}])}),
    send(M, p, #{s1 => keep([postpone])}),
    send(M, nest, #{s1 => keep([{next_event, internal, ev(first, #{s1 => keep([{next_event, internal, ev(second)}])})},
                                {next_event, internal, Nested}])}),
    send(M, go, #{s1 => go(s2, [{next_event, internal, ev(before_the_postponed)}])}),
    settle(),
    log([ended, transcript:down(M, fun() -> gen_statem:stop(M) end)]).
