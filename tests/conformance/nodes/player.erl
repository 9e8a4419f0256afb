%% One of two nodes that play a scenario, see player.py, which does the same. Reads commands, a line each: a number, an
%% actor's name, a verb, its arguments. Writes the number and what came of it.
-module(player).
-export([main/1, actor/0]).

main([Near, Far, Other, Module]) ->
    ets:new(names, [named_table, public]),
    ets:insert(names, [{near, list_to_atom(Near)}, {far, list_to_atom(Far)}, {other, list_to_atom(Other)},
                       {module, list_to_atom(Module)}]),
    register(namer, spawn(fun namer/0)),
    out("0", ready),
    loop().

loop() ->
    case io:get_line("") of
        eof -> halt();
        Line ->
            [Id | Words] = string:lexemes(Line, " \n"),
            command(Id, Words),
            loop()
    end.

command(Id, ["player", "new", Name]) ->
    bind(list_to_atom(Name), spawn(fun actor/0)),
    out(Id, ok);
command(Id, ["player", "know", Name]) ->
    {namer, value(other)} ! {ask, list_to_atom(Name), self()},
    receive {named, Pid} -> ets:insert(names, {Pid, list_to_atom(Name)}), ets:insert(names, {list_to_atom(Name), Pid}) end,
    out(Id, ok);
command(Id, ["player", "sync"]) ->
    %% waits until the other node has what was sent, if there is a connection
    case lists:member(value(other), nodes(connected)) of
        true -> {namer, value(other)} ! {ping, self()}, receive pong -> ok after 2000 -> late end;
        false -> ok
    end,
    out(Id, ok);
command(Id, ["player", "reset"]) ->
    [put_down(Pid) || {Pid, _} <- ets:tab2list(names), is_pid(Pid), node(Pid) =:= node()],
    [ets:delete(names, Key) || {Key, Value} <- ets:tab2list(names), is_pid(Key) orelse is_pid(Value)],
    erlang:disconnect_node(value(other)),
    out(Id, ok);
command(Id, [Name | Words]) ->
    case whereis(list_to_atom(Name)) of
        undefined -> out(Id, dead);
        Pid -> Pid ! {do, Id, Words}
    end.

put_down(Pid) ->
    Ref = monitor(process, Pid),
    exit(Pid, kill),
    receive {'DOWN', Ref, process, _, _} -> ok end.

bind(Name, Pid) ->
    node(Pid) =:= node() andalso register(Name, Pid),
    ets:insert(names, [{Name, Pid}, {Pid, Name}]).

%% Tells the other node who has a name, and takes the names that it gives.
namer() ->
    receive
        {ask, Name, From} ->
            case ets:lookup(names, word(Name)) of
                [{_, Pid}] -> From ! {named, Pid};
                [] -> timer:sleep(5), self() ! {ask, Name, From}
            end;
        {bind, Name, Pid} -> bind(word(Name), Pid);
        {ping, From} -> From ! pong
    end,
    namer().

actor() ->
    receive
        {do, Id, Words} ->
            Result = try do(Id, Words)
                     catch
                         exit:{Reason, {gen_server, _, _}} -> {exit, Reason};
                         error:Reason -> {error, Reason}
                     end,
            case Result of
                {stop, Why} -> exit(Why);
                _ -> out(Id, Result)
            end
    end,
    actor().

do(_, ["trap"]) -> process_flag(trap_exit, true), ok;
do(_, ["send", To, What]) -> dest(To) ! list_to_atom(What), ok;
do(_, ["send_pid", To, Whose]) -> dest(To) ! {dest(Whose), list_to_atom(Whose)}, ok;
do(_, ["exit", To, Why]) -> exit(dest(To), list_to_atom(Why));
do(Id, ["die", Why]) -> out(Id, dies), {stop, list_to_atom(Why)};
do(Id, ["kill_self"]) -> out(Id, dies), exit(self(), kill), receive never -> ok end;
do(_, ["link", To]) -> link(dest(To));
do(_, ["unlink", To]) -> unlink(dest(To));
do(_, ["monitor", To]) -> put(ref, monitor(process, dest(To))), ok;
do(_, ["demonitor"]) -> demonitor(get(ref), [flush]);
do(_, ["cast", To, What]) -> gen_server:cast(dest(To), list_to_atom(What));
do(_, ["call", To, What]) -> gen_server:call(dest(To), list_to_atom(What), 60000);
do(_, ["call", To, What, Time]) -> gen_server:call(dest(To), list_to_atom(What), list_to_integer(Time));
do(_, ["request", To, What]) ->
    case gen_server:receive_response(gen_server:send_request(dest(To), list_to_atom(What)), 60000) of
        {reply, Reply} -> {reply, Reply};
        {error, {Reason, _}} -> {error, Reason}
    end;
do(_, ["multi_call", Name]) ->
    Nodes = [value(other), 'nowhere@127.0.0.1', node()],
    {Replies, Bad} = gen_server:multi_call(Nodes, list_to_atom(Name), asked, 60000),
    {[{Node, Reply} || {Node, Reply} <- Replies], [Node || Node <- Bad]};
do(_, ["serve"]) -> serve();
do(_, ["pass_on", To]) -> receive {'$gen_call', From, What} -> dest(To) ! {'$gen_call', From, What}, ok end;
do(_, ["take", Number]) -> [take() || _ <- lists:seq(1, list_to_integer(Number))];
do(_, ["empty"]) -> receive M when element(1, M) =/= do -> {not_empty, M}; A when is_atom(A) -> A after 150 -> empty end;
do(_, ["alive", Who]) -> is_process_alive(dest(Who));
do(_, ["spawn", Name]) -> given(Name, spawn(value(other), value(module), actor, []));
do(_, ["spawn_link", Name]) -> given(Name, spawn_link(value(other), value(module), actor, []));
do(_, ["spawn_monitor", Name]) ->
    {Pid, Ref} = spawn_monitor(value(other), value(module), actor, []),
    put(ref, Ref),
    given(Name, Pid);
do(_, ["spawn_nowhere", How]) ->
    Pid = case How of
        "spawn" -> spawn('nowhere@127.0.0.1', m, f, []);
        "spawn_link" -> spawn_link('nowhere@127.0.0.1', m, f, []);
        "spawn_monitor" -> {P, _} = spawn_monitor('nowhere@127.0.0.1', m, f, []), P
    end,
    ets:insert(names, [{Pid, nobody}, {nobody, Pid}]),
    node(Pid);
do(_, ["connect"]) -> net_kernel:connect_node(value(other));
do(_, ["connect_nowhere"]) -> net_kernel:connect_node('nowhere@127.0.0.1');
do(_, ["disconnect"]) -> erlang:disconnect_node(value(other));
do(_, ["nodes"]) -> nodes(connected);
do(_, ["node", Who]) -> node(dest(Who));
do(_, ["monitor_node"]) -> monitor_node(value(other), true);
do(_, ["monitor_node_off"]) -> monitor_node(value(other), false);
do(_, ["monitor_own_node"]) -> monitor_node(node(), true);
do(_, ["monitor_nowhere"]) -> monitor_node('nowhere@127.0.0.1', true);
do(_, ["monitor_nodes"]) -> net_kernel:monitor_nodes(true, [nodedown_reason, {node_type, all}]);
do(_, ["info", Item]) ->
    {_, Value} = process_info(self(), list_to_atom(Item)),
    [case Each of {process, Who} -> Who; Who -> Who end || Each <- Value].

given(Name, Pid) ->
    ets:insert(names, [{Pid, list_to_atom(Name)}, {list_to_atom(Name), Pid}]),
    {namer, value(other)} ! {bind, list_to_atom(Name), Pid},
    ok.

serve() ->
    receive
        {'$gen_call', From, What} ->
            case word(What) of
                die -> {stop, served};
                silent -> silent;
                Word -> gen_server:reply(From, {served, Word}), {served, Word}
            end;
        {'$gen_cast', What} -> {cast, What}
    end.

take() ->
    receive
        {nodedown, Node, Info} -> {nodedown, Node, proplists:get_value(nodedown_reason, Info)};
        {nodeup, Node, _} -> {nodeup, Node};
        Message when element(1, Message) =/= do -> Message;
        Message when is_atom(Message); is_binary(Message) -> Message
    after 60000 -> nothing
    end.

dest(Text) ->
    case string:split(Text, "/") of
        [Name, "other"] -> {list_to_atom(Name), value(other)};
        [Name, "self"] -> {list_to_atom(Name), node()};
        [Name] -> value(list_to_atom(Name))
    end.

value(Key) -> [{_, Value}] = ets:lookup(names, Key), Value.

word(Text) when is_binary(Text) -> binary_to_atom(Text);
word(Atom) -> Atom.

out(Id, What) -> io:put_chars(user, [Id, " ", show(What), "\n"]).

show(Pid) when is_pid(Pid) ->
    case ets:lookup(names, Pid) of
        [{_, Name}] -> atom_to_list(Name);
        [] -> "pid"
    end;
show(Ref) when is_reference(Ref) -> "ref";
show(Atom) when is_atom(Atom) ->
    case {value(near), value(far)} of
        {Atom, _} -> "near";
        {_, Atom} -> "far";
        _ -> atom_to_list(Atom)
    end;
show(Binary) when is_binary(Binary) -> Binary;
show(Integer) when is_integer(Integer) -> integer_to_list(Integer);
show(Tuple) when is_tuple(Tuple) -> ["{", lists:join(",", [show(Each) || Each <- tuple_to_list(Tuple)]), "}"];
show(List) when is_list(List) -> ["[", lists:join(",", [show(Each) || Each <- List]), "]"].
