-module(footprint).
-behaviour(gen_server).
-export([processes/1, servers/1, supervised/1, start_named/1]).
-export([init/1, handle_call/3, handle_cast/2]).

init({supervisor, Prefix, Count}) ->
    Specs = [#{id => N, start => {?MODULE, start_named, [name(Prefix, N)]}} || N <- lists:seq(1, Count)],
    {ok, {#{}, Specs}};
init(idle) -> {ok, none}.

handle_call(_, _, State) -> {reply, ok, State}.
handle_cast(_, State) -> {noreply, State}.

name(Prefix, N) -> list_to_atom(Prefix ++ integer_to_list(N)).

start_named(Name) -> gen_server:start_link({local, Name}, ?MODULE, idle, []).

processes(Count) ->
    measure(fun(_, Number) -> [spawn(fun wait/0) || _ <- lists:seq(1, Number)] end, Count).

servers(Count) ->
    measure(fun(Prefix, Number) -> [start_named(name(Prefix, N)) || N <- lists:seq(1, Number)] end, Count).

supervised(Count) ->
    measure(
        fun(Prefix, Number) ->
            {ok, Pid} = supervisor:start_link(?MODULE, {supervisor, Prefix, Number}),
            Pid
        end,
        Count
    ).

measure(Start, Count) ->
    Start("first-", 10),
    Before = bench:resident(),
    Kept = Start("server-", Count),
    After = bench:resident(),
    put(kept, Kept),
    bench:exact((After - Before) / Count).

wait() -> receive stop -> ok end.
