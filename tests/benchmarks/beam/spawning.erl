-module(spawning).
-export([spawn_run_exit/1, spawn_down/1]).

-define(BATCH, 1000).

spawn_run_exit(Size) ->
    bench:rate_of(fun(Count) -> batches(max(1, Count div ?BATCH)) end, Size * 2).

batches(0) -> ok;
batches(Left) ->
    Me = self(),
    start(?BATCH - 1),
    spawn(fun() -> Me ! over end),
    receive over -> batches(Left - 1) end.

start(0) -> ok;
start(Left) ->
    spawn(fun nothing/0),
    start(Left - 1).

spawn_down(Size) ->
    bench:rate_of(fun one_by_one/1, Size * 2).

one_by_one(0) -> ok;
one_by_one(Left) ->
    {_, Ref} = spawn_monitor(fun nothing/0),
    receive {'DOWN', Ref, process, _, _} -> one_by_one(Left - 1) end.

nothing() -> ok.
