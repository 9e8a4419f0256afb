-module(distributing).
-export([casts/1, calls/1, count/1]).

casts(Size) ->
    with_server(fun(Server, Count) ->
        cast(Server, Count),
        call(Server)
    end, Size).

calls(Size) ->
    with_server(fun(Server, Count) -> call(Server, Count) end, Size).

%% A server on a node of its own on the same machine.
with_server(Work, Size) ->
    Here = list_to_atom("near" ++ os:getpid() ++ "@127.0.0.1"),
    os:cmd("epmd -daemon"),
    {ok, _} = net_kernel:start([Here, longnames]),
    {ok, Peer, Node} = peer:start_link(#{
        name => "far" ++ os:getpid(), host => "127.0.0.1", longnames => true,
        args => ["-setcookie", atom_to_list(erlang:get_cookie()), "-pa", filename:dirname(code:which(?MODULE))]
    }),
    Server = spawn(Node, ?MODULE, count, [0]),
    Result = bench:rate_of(fun(Count) -> Work(Server, Count) end, Size),
    peer:stop(Peer),
    Result.

count(N) ->
    receive
        {'$gen_cast', {add, _}} -> count(N + 1);
        {'$gen_call', {From, Tag}, get} -> From ! {Tag, N}, count(N)
    end.

cast(_, 0) -> ok;
cast(Server, Left) ->
    Server ! {'$gen_cast', {add, Left}},
    cast(Server, Left - 1).

call(Server) ->
    Ref = monitor(process, Server),
    Server ! {'$gen_call', {self(), Ref}, get},
    receive {Ref, N} -> demonitor(Ref, [flush]), N end.

call(_, 0) -> ok;
call(Server, Left) ->
    call(Server),
    call(Server, Left - 1).
