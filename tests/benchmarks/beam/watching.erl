-module(watching).
-behaviour(gen_server).
-export([links/1, monitors/1, init/1, handle_call/3, handle_cast/2, handle_info/2]).

init(idle) -> {ok, none};
init({watcher, Watched, Collector}) ->
    monitor(process, Watched),
    {ok, Collector}.

handle_call(_, _, State) -> {reply, ok, State}.
handle_cast(_, State) -> {noreply, State}.
handle_info({'DOWN', _, _, _, _}, Collector) ->
    Collector ! heard,
    {noreply, Collector}.

links(Count) ->
    Me = self(),
    Center = spawn(fun() ->
        Me ! [element(2, gen_server:start_link(?MODULE, idle, [])) || _ <- lists:seq(1, Count)],
        receive stop -> ok end
    end),
    Members = receive Pids when is_list(Pids) -> Pids end,
    [monitor(process, Member) || Member <- Members],
    bench:rate_of(fun(N) -> exit(Center, over), take(N) end, Count, Count).

monitors(Count) ->
    Center = spawn(fun() -> receive stop -> ok end end),
    [gen_server:start(?MODULE, {watcher, Center, self()}, []) || _ <- lists:seq(1, Count)],
    bench:rate_of(fun(N) -> exit(Center, over), take(N) end, Count, Count).

take(0) -> ok;
take(Left) -> receive _ -> take(Left - 1) end.
