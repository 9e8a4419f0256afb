#!/usr/bin/env escript
%% tree.escript FILE: does to supervision trees of a real BEAM what the file says, a term a step, and prints `==` and
%% what came of each step. The trees are those of tests/runtime/planned_trees.py.
-mode(compile).
-behaviour(gen_server).
-export([init/1, handle_call/3, handle_cast/2, handle_info/2, terminate/2, start_worker/1, start_branch/1]).

-define(STANDING, 3600).

main([File]) ->
    logger:set_primary_config(level, none),
    process_flag(trap_exit, true),
    ets:new(known, [named_table, public]),
    ets:new(events, [named_table, public, ordered_set]),
    {ok, Steps} = file:consult(File),
    Standing = processes(),
    [begin do(Step), come_to_rest(Standing), show() end || Step <- Steps].

do({nothing}) -> ok;
do({plant, Plan}) -> start_branch(Plan);
do({stop, Id, Reason}) -> gen_server:cast(pid(Id), Reason);
do({signal, Id, Reason}) -> exit(pid(Id), Reason);
do({terminate, Sup, Id}) -> supervisor:terminate_child(pid(Sup), Id);
do({restart, Sup, Id}) -> supervisor:restart_child(pid(Sup), Id);
do({delete, Sup, Id}) -> supervisor:delete_child(pid(Sup), Id);
do({add, Sup, Plan}) -> supervisor:start_child(pid(Sup), spec(Plan));
do({suspend, Id}) -> sys:suspend(pid(Id));
do({resume, Id}) -> sys:resume(pid(Id));
do({fail, Id, Times}) -> ets:insert(known, {{fails, Id}, Times}).

pid(Id) -> [{_, Pid}] = ets:lookup(known, Id), Pid.

%% At rest, every process waits: seen twice in a row, because one look at all of them takes its time.
come_to_rest(Standing) -> come_to_rest(Standing, 0).
come_to_rest(_, 2) -> drop_exits();
come_to_rest(Standing, Seen) ->
    timer:sleep(2),
    Busy = [Pid || Pid <- processes() -- Standing, process_info(Pid, status) =/= {status, waiting}],
    come_to_rest(Standing, if Busy =:= [] -> Seen + 1; true -> 0 end).

drop_exits() -> receive {'EXIT', _, _} -> drop_exits() after 0 -> ok end.

show() ->
    io:format("==~n"),
    [io:format("~w~n", [Event]) || {_, Event} <- ets:tab2list(events)],
    ets:delete_all_objects(events).

event(Event) -> ets:insert(events, {erlang:unique_integer([monotonic]), Event}).

begin_(Event, Id) ->
    Number = ets:update_counter(known, {incarnation, Id}, 1, {{incarnation, Id}, 0}),
    ets:insert(known, {Id, self()}),
    event({Event, Id, Number}),
    Number.

spec(#{id := Id, restart := Restart, strategy := '', brutal := Brutal, significant := Significant} = Plan) ->
    #{id => Id, start => {?MODULE, start_worker, [Plan]}, restart => Restart, significant => Significant,
      shutdown => case Brutal of true -> brutal_kill; false -> 5000 end};
spec(#{id := Id, restart := Restart} = Plan) ->
    #{id => Id, start => {?MODULE, start_branch, [Plan]}, restart => Restart, type => supervisor}.

start_worker(Plan) -> gen_server:start_link(?MODULE, Plan, []).
start_branch(Plan) -> supervisor:start_link(?MODULE, Plan).

init(#{strategy := '', id := Id, trap := Trap}) ->
    process_flag(trap_exit, Trap),
    case ets:lookup(known, {fails, Id}) of
        [{_, Times}] when Times > 0 ->
            ets:insert(known, {{fails, Id}, Times - 1}),
            begin_(failure, Id),
            {stop, nope};
        _ -> {ok, {Id, begin_(start, Id)}}
    end;
init(#{id := Id, strategy := Strategy, max_restarts := Most, auto_shutdown := Auto, children := Children}) ->
    begin_(init, Id),
    Flags = #{strategy => Strategy, intensity => Most, period => ?STANDING, auto_shutdown => Auto},
    {ok, {Flags, [spec(Child) || Child <- Children]}}.

handle_call(_, _, State) -> {reply, ok, State}.
handle_cast(Reason, State) -> {stop, Reason, State}.
handle_info(_, State) -> {noreply, State}.
terminate(Reason, {Id, Number}) -> event({terminate, Id, Number, Reason}).
