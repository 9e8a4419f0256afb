%% A door with a code, in the style of one function for each state.
-module(statem_functions).
-behaviour(gen_statem).
-export([h08_state_functions/0]).
-export([init/1, callback_mode/0, locked/3, open/3, terminate/3]).
-import(transcript, [log/1, settle/0, settle/1]).

callback_mode() -> [state_functions, state_enter].

init(Code) -> {ok, locked, Code}.

locked(enter, Before, _) -> log([locked, enter, Before]), keep_state_and_data;
locked({call, From}, {enter, Code}, Code) -> log([locked, right]), {next_state, open, Code, [{reply, From, welcome}]};
locked({call, From}, {enter, _}, _) -> log([locked, wrong]), {keep_state_and_data, [{reply, From, wrong}]};
locked(Kind, Event, _) -> log([locked, kind(Kind), Event]), {keep_state_and_data, [postpone]}.

open(enter, Before, _) -> log([open, enter, Before]), {keep_state_and_data, [{state_timeout, 40, close}]};
open(state_timeout, close, Code) -> log([open, closes]), {next_state, locked, Code};
open({call, From}, {change, New}, _) -> {repeat_state, New, [{reply, From, changed}]};
open({call, From}, Event, _) -> log([open, call, Event]), {keep_state_and_data, [{reply, From, Event}]};
open(cast, slam, Code) -> {next_state, cellar, Code};
open(Kind, Event, _) -> log([open, kind(Kind), Event]), keep_state_and_data.

kind({call, _}) -> call;
kind(Kind) -> Kind.

terminate(Reason, State, _) -> log([terminate, case Reason of undef -> no_such_state; _ -> Reason end, State]).

ask(Door, Question) ->
    Answer = gen_statem:call(Door, Question),
    settle(10),
    log([call, Answer]).

h08_state_functions() ->
    {ok, Door} = gen_statem:start(?MODULE, 1, []),
    settle(),
    ask(Door, {enter, 2}),
    Door ! knock,
    Asker = self(),
    spawn(fun() -> Asker ! {answered, gen_statem:call(Door, walk)} end),
    settle(),
    ask(Door, {enter, 1}),
    log([walks, receive {answered, What} -> What after 1000 -> nothing end]),
    ask(Door, {change, 3}),
    settle(150),
    ask(Door, {enter, 1}),
    ask(Door, {enter, 3}),
    Down = transcript:down(Door, fun() -> gen_statem:cast(Door, slam) end),
    log([down, case Down of {undef, [{?MODULE, cellar, _, _} | _]} -> no_such_state; _ -> Down end]).
