-module(messaging).
-export([ping_pong/1, ring/1, selective/1, fresh_reference/1]).

-define(RING, 1000).
-define(AHEAD, 10000).

ping_pong(Size) ->
    Other = spawn(fun echo/0),
    bench:rate_of(fun(Count) -> ping(Other, Count) end, Size * 5).

ping(_, 0) -> ok;
ping(Other, Left) ->
    Other ! self(),
    receive pong -> ping(Other, Left - 1) end.

echo() ->
    receive From -> From ! pong, echo() end.

ring(Size) ->
    First = lists:foldl(fun(_, Next) -> spawn(fun() -> pass_on(Next) end) end, self(), lists:seq(2, ?RING)),
    bench:rate_of(fun(Count) -> rounds(First, max(1, Count div ?RING)) end, Size * 5).

pass_on(Next) ->
    receive Token -> Next ! Token, pass_on(Next) end.

rounds(_, 0) -> ok;
rounds(First, Left) ->
    First ! token,
    receive token -> rounds(First, Left - 1) end.

%% Looks at all that are ahead each time, so it does a share of the others' work.
selective(Size) ->
    [self() ! {for_somebody_else, N} || N <- lists:seq(1, ?AHEAD)],
    bench:rate_of(fun wanted/1, max(2, Size div 20)).

wanted(0) -> ok;
wanted(Left) ->
    self() ! {wanted, 1},
    receive {wanted, N} when is_integer(N) -> wanted(Left - 1) end.

fresh_reference(Size) ->
    [self() ! {for_somebody_else, N} || N <- lists:seq(1, ?AHEAD)],
    bench:rate_of(fun fresh/1, Size).

fresh(0) -> ok;
fresh(Left) ->
    Ref = make_ref(),
    self() ! {Ref, 1},
    receive {Ref, N} when is_integer(N) -> fresh(Left - 1) end.
