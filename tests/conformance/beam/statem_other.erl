%% What statem_modules changes to: it logs as other, and enters no states.
-module(statem_other).
-behaviour(gen_statem).
-export([init/1, callback_mode/0, handle_event/4, terminate/3]).

callback_mode() -> handle_event_function.
init(First) -> {ok, First, data}.
handle_event(Kind, {Id, Result}, State, _) ->
    transcript:log([other, Id, case Kind of {timeout, N} -> [timeout, N]; K -> K end, State]),
    Result.
terminate(Reason, State, _) -> transcript:log([other, terminate, Reason, State]).
