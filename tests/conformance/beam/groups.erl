%% Groups of processes (pg), and plain processes that start in step (proc_lib).
-module(groups).
-export([r01_groups/0, r02_ends_and_scopes/0, r03_monitors_of_groups/0, q01_starts_in_step/0, q02_entering_a_loop/0,
         q03_under_a_supervisor/0]).
-export([in_step/1, entering/1, told/1]).
-import(transcript, [log/1, settle/0, flush/0, attempt/1, down/2, name/1]).

members(Group) -> [name(Pid) || Pid <- pg:get_members(rooms, Group)].
groups() -> lists:sort(pg:which_groups(rooms)).

scope() ->
    {ok, Scope} = pg:start_link(rooms),
    transcript:bind(Scope, rooms).

r01_groups() ->
    scope(),
    [A, B, C] = [actor:start(Name) || Name <- [a, b, c]],
    log([empty, members(g), groups(), pg:leave(rooms, g, A)]),
    log([join, pg:join(rooms, g, A), pg:join(rooms, g, B), pg:join(rooms, h, [A, C])]),
    log([members, members(g), members(h), groups()]),
    log([again, pg:join(rooms, g, A), pg:join(rooms, g, [A, B]), members(g)]),
    log([leave, pg:leave(rooms, g, A), members(g)]),
    log([leave_many, pg:leave(rooms, g, [A, B, C]), members(g)]),
    log([leave_rest, pg:leave(rooms, g, [A, B]), members(g), groups()]),
    log([not_joined, pg:leave(rooms, g, C), pg:leave(rooms, nowhere, A)]),
    log([local, [name(Pid) || Pid <- pg:get_local_members(rooms, h)]]),
    log([by_another, actor:ask(A, fun() -> pg:join(rooms, g, B) end), members(g)]).

r02_ends_and_scopes() ->
    process_flag(trap_exit, true),
    Scope = scope(),
    [A, B] = [actor:start(Name) || Name <- [a, b]],
    [pg:join(rooms, Group, [A, B, A]) || Group <- [g, h]],
    actor:kill(A),
    settle(),
    log([after_a_death, members(g), members(h)]),
    pg:join(rooms, g, A),
    settle(),
    log([a_dead_one, members(g)]),
    {ok, Other} = pg:start_link(others),
    pg:join(others, g, B),
    log([scopes, members(g), [name(Pid) || Pid <- pg:get_members(others, g)]]),
    {error, {already_started, Same}} = pg:start_link(rooms),
    log([taken, Same]),
    log([the_scope_ends, down(Scope, fun() -> exit(Scope, kill) end), is_process_alive(B), is_process_alive(Other)]),
    [exit, {Why, _}] = attempt(fun() -> pg:join(rooms, g, B) end),
    log([no_scope, Why]),
    {ok, _} = pg:start(rooms),
    log([begins_anew, members(g)]).

r03_monitors_of_groups() ->
    scope(),
    [A, B, C] = [actor:start(Name) || Name <- [a, b, c]],
    pg:join(rooms, g, A),
    {Ref, Members} = pg:monitor(rooms, g),
    log([members, Members]),
    pg:join(rooms, g, [B, C]),
    pg:join(rooms, other, B),
    pg:join(rooms, g, B),
    pg:leave(rooms, g, C),
    log([heard, [[What, Group | Pids] || {R, What, Group, Pids} <- flush(), R == Ref]]),
    actor:kill(B),
    settle(),
    log([a_death, [[What, Group | Pids] || {R, What, Group, Pids} <- flush(), R == Ref]]),
    log([demonitor, pg:demonitor(rooms, Ref), pg:demonitor(rooms, Ref)]),
    pg:join(rooms, g, C),
    log([silence, flush()]),
    {All, Groups} = pg:monitor_scope(rooms),
    log([scope, maps:from_list([{Group, lists:sort([name(Pid) || Pid <- Pids])} || {Group, Pids} <- maps:to_list(Groups)])]),
    pg:join(rooms, new, A),
    pg:leave(rooms, g, A),
    log([all_groups, [[What, Group | Pids] || {R, What, Group, Pids} <- flush(), R == All]]),
    W = actor:start(w),
    actor:ask(W, fun() -> pg:monitor(rooms, g) end),
    actor:kill(W),
    log([a_listener_ends, pg:join(rooms, g, A)]).

q01_starts_in_step() ->
    process_flag(trap_exit, true),
    Starts = [{ack, fun() -> proc_lib:init_ack({ok, self()}), receive stop -> ok end end},
              {value, fun() -> proc_lib:init_ack(value), receive stop -> ok end end},
              {exits, fun() -> exit(boom) end},
              {returns, fun() -> ok end},
              {shuts_down, fun() -> exit(shutdown) end}],
    [begin
         Result = proc_lib:start_link(?MODULE, in_step, [Start]),
         log([Tag, case Result of {ok, Pid} when is_pid(Pid) -> started; _ -> Result end])
     end || {Tag, Start} <- Starts],
    {error, {Raised, _}} = proc_lib:start_link(?MODULE, in_step, [fun() -> error(oops) end]),
    log([raises, Raised]),
    log([slow, proc_lib:start_link(?MODULE, in_step, [fun() -> settle(), settle() end], 20)]),
    flush(),
    {ok, Linked} = proc_lib:start_link(?MODULE, told, [linked]),
    {ok, Alone} = proc_lib:start(?MODULE, told, [alone]),
    [log([Name, down(Pid, fun() -> Pid ! stop end)]) || {Name, Pid} <- [{linked, Linked}, {alone, Alone}]],
    log([mailbox, flush()]),
    {ok, Seen} = proc_lib:start_link(?MODULE, told, [seen]),
    {dictionary, Dictionary} = process_info(Seen, dictionary),
    log([ancestors, proplists:get_value('$ancestors', Dictionary)]),
    Starter = fun() -> proc_lib:start_link(?MODULE, in_step, [fun() -> exit(boom) end]), exit(survived) end,
    {_, Ref} = spawn_monitor(Starter),
    log([starter_that_does_not_trap, transcript:down(Ref)]).

in_step(Start) -> Start().

told(Name) ->
    transcript:bind(self(), Name),
    proc_lib:init_ack({ok, self()}),
    receive stop -> exit(told_to) end.

q02_entering_a_loop() ->
    process_flag(trap_exit, true),
    {ok, Srv} = proc_lib:start_link(?MODULE, entering, [srv]),
    log([call, gen_server:call(Srv, ping), gen_server:call(Srv, {set, 7})]),
    log([state, sys:get_state(Srv)]),
    log([stop, gen_server:stop(Srv)]),
    log([mailbox, flush()]).

entering(Name) ->
    transcript:bind(self(), Name),
    proc_lib:init_ack({ok, self()}),
    put(name, Name),
    put(callbacks, #{}),
    gen_server:enter_loop(server, [], 5).

q03_under_a_supervisor() ->
    process_flag(trap_exit, true),
    {ok, Sup} = csup:start_link(sup, #{}, [#{id => told, start => {proc_lib, start_link, [?MODULE, told, [told]]}}]),
    First = csup:kid(Sup, told),
    log([kids, csup:kids(Sup)]),
    down(First, fun() -> First ! stop end),
    settle(),
    log([kids, csup:kids(Sup), csup:kid(Sup, told) == First]),
    csup:stop(Sup).
