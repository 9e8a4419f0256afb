-module(restarting).
-behaviour(supervisor).
-export([start/1, restart_few/1, restart_many/1, restart_all/1]).
-export([init/1, start_child/2, child/3]).

-define(FEW, 10).
-define(MANY, 100000).

init({Count, Strategy, Starter}) ->
    Flags = #{strategy => Strategy, intensity => 1000000000, period => 1},
    {ok, {Flags, [#{id => N, start => {?MODULE, start_child, [N, Starter]}} || N <- lists:seq(1, Count)]}}.

%% A gen_server without callbacks of its own would need a second module; this is what gen_server:start_link does.
start_child(Number, Starter) ->
    proc_lib:start_link(?MODULE, child, [Number, Starter, self()]).

child(Number, Starter, Parent) ->
    Starter ! {Number, self()},
    proc_lib:init_ack(Parent, {ok, self()}),
    gen_server:enter_loop(?MODULE, [], state).

supervised(Count, Strategy) ->
    {ok, _} = supervisor:start_link(?MODULE, {Count, Strategy, self()}),
    maps:from_list([receive {N, Pid} -> {N, Pid} end || _ <- lists:seq(1, Count)]).

start(Count) ->
    supervised(max(1, Count div 100), one_for_one),
    bench:rate_of(fun(N) -> supervised(N, one_for_one) end, Count, Count).

restart_few(Restarts) -> restart_one(?FEW, Restarts).
restart_many(Restarts) -> restart_one(min(?MANY, Restarts * 100), Restarts).

restart_one(Among, Restarts) ->
    Pids = supervised(Among, one_for_one),
    rand:seed(exsss, 1),
    Chosen = [rand:uniform(Among) || _ <- lists:seq(1, Restarts)],
    bench:rate_of(fun(Numbers) -> lists:foldl(fun kill/2, Pids, Numbers) end, Chosen, Restarts).

kill(Number, Pids) ->
    exit(maps:get(Number, Pids), kill),
    receive {Number, Pid} -> Pids#{Number := Pid} end.

restart_all(Among) ->
    Pids = supervised(Among, one_for_all),
    bench:rate_of(
        fun(Count) ->
            exit(maps:get(1 + Count div 2, Pids), kill),
            [receive {_, _} -> ok end || _ <- lists:seq(1, Count)]
        end,
        Among,
        Among
    ).
