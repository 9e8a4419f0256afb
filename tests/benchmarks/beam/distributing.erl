-module(distributing).
-export([casts/1, calls/1, echoes/1, count/1, echo/0]).

%% Messages that are on their way to the other node and back at most.
-define(WINDOW, 1000).

casts(Size) ->
    with_server(count, [0], fun(Server, Count) ->
        cast(Server, Count),
        call(Server)
    end, Size).

calls(Size) ->
    with_server(count, [0], fun(Server, Count) -> call(Server, Count) end, Size).

echoes(Size) ->
    with_server(echo, [], fun(Server, Count) ->
        await_name(Server),
        exchange({echo, node(Server)}, Count, 0)
    end, Size).

%% A server on a node of its own on the same machine.
with_server(Function, Arguments, Work, Size) ->
    Here = list_to_atom("near" ++ os:getpid() ++ "@127.0.0.1"),
    os:cmd("epmd -daemon"),
    {ok, _} = net_kernel:start([Here, longnames]),
    {ok, Peer, Node} = peer:start_link(#{
        name => "far" ++ os:getpid(), host => "127.0.0.1", longnames => true,
        args => ["-setcookie", atom_to_list(erlang:get_cookie()), "-pa", filename:dirname(code:which(?MODULE))]
    }),
    Server = spawn(Node, ?MODULE, Function, Arguments),
    Result = bench:rate_of(fun(Count) -> Work(Server, Count) end, Size),
    peer:stop(Peer),
    Result.

count(N) ->
    receive
        {'$gen_cast', {add, _}} -> count(N + 1);
        {'$gen_call', {From, Tag}, get} -> From ! {Tag, N}, count(N)
    end.

%% Send back what comes, to a sender that names itself.
echo() ->
    register(echo, self()),
    send_back().

send_back() ->
    receive {From, Message} -> From ! Message, send_back() end.

await_name(Server) ->
    case erpc:call(node(Server), erlang, whereis, [echo]) of
        Server -> ok;
        undefined -> await_name(Server)
    end.

exchange(_, 0, Waiting) -> take(Waiting);
exchange(Server, Left, ?WINDOW) ->
    take(?WINDOW div 2),
    exchange(Server, Left, ?WINDOW - ?WINDOW div 2);
exchange(Server, Left, Waiting) ->
    Server ! {self(), {add, Left}},
    exchange(Server, Left - 1, Waiting + 1).

take(0) -> ok;
take(Count) -> receive {add, _} -> take(Count - 1) end.

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
