%% A plain process that does what it is told: runs each fun it is sent, and nothing else.
-module(actor).
-export([start/1, start/2, tell/2, ask/2, exits/2, kill/1, trapping/1]).

%% Starts one that is shown as Name; Spawn is erlang's spawn or spawn_link of one argument.
start(Name) -> start(Name, fun erlang:spawn/1).
start(Name, Spawn) -> transcript:bind(Spawn(fun obey/0), Name).

%% Starts one that traps exits.
trapping(Name) ->
    Pid = start(Name),
    ask(Pid, fun() -> process_flag(trap_exit, true) end),
    Pid.

obey() -> receive F when is_function(F, 0) -> F() end, obey().

%% Has it run F; tell does not wait, ask returns what F returned there.
tell(Pid, F) -> Pid ! F.
ask(Pid, F) ->
    Asker = self(), Ref = make_ref(),
    tell(Pid, fun() -> Asker ! {Ref, F()} end),
    receive {Ref, Value} -> Value after 10000 -> no_answer end.

%% Has it exit by itself; returns what a monitor saw, when all that follows is over.
exits(Pid, Reason) ->
    Seen = transcript:down(Pid, fun() -> tell(Pid, fun() -> exit(Reason) end) end),
    transcript:settle(10),
    Seen.

%% Kills it and waits until it is gone.
kill(Pid) -> unlink(Pid), transcript:down(Pid, fun() -> exit(Pid, kill) end).
