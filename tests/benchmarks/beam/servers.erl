-module(servers).
-behaviour(gen_server).
-export([call_one/1, call_many/1, cast_one/1, cast_many/1]).
-export([init/1, handle_call/3, handle_cast/2]).

-define(BATCH, 1000).
-define(MANY, 100000).
-define(TIMEOUT, 5000).

init([]) -> {ok, 0}.
handle_call(get, _From, Count) -> {reply, Count, Count}.
handle_cast(increment, Count) -> {noreply, Count + 1}.

start(Count) ->
    [element(2, gen_server:start(?MODULE, [], [])) || _ <- lists:seq(1, Count)].

call_one(Size) -> on(1, fun calls/3, Size * 3).
call_many(Size) -> on(min(?MANY, Size), fun calls/3, Size * 3).
cast_one(Size) -> on(1, fun casts/3, Size * 10).
cast_many(Size) -> on(min(?MANY, Size), fun casts/3, Size * 3).

on(Servers, Work, Size) ->
    All = start(Servers),
    bench:rate_of(fun(Count) -> Work(All, All, Count) end, Size).

calls(_, _, 0) -> ok;
calls(All, [], Left) -> calls(All, All, Left);
calls(All, [Server | Rest], Left) ->
    gen_server:call(Server, get, ?TIMEOUT),
    calls(All, Rest, Left - 1).

casts(All, From, Count) -> batches(All, From, max(1, Count div ?BATCH)).

batches(_, _, 0) -> ok;
batches(All, From, Left) -> batches(All, batch(All, From, ?BATCH), Left - 1).

batch(All, [], Left) -> batch(All, All, Left);
batch(_, [Server | Rest], 1) ->
    gen_server:cast(Server, increment),
    gen_server:call(Server, get, ?TIMEOUT),
    Rest;
batch(All, [Server | Rest], Left) ->
    gen_server:cast(Server, increment),
    batch(All, Rest, Left - 1).
