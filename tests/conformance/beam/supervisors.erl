%% What the recorded supervisor scenarios leave open.
-module(supervisors).
-export([u50_one_for_one_crashes/0, u51_rest_for_one_crashes/0, u52_start_failure_rolls_back/0,
         u53_what_counts_against_the_intensity/0, u54_refusals/0, u55_group_restart_of_finished_and_temporary/0,
         u56_requests_between_restart_attempts/0, u57_unlinked_child/0, u58_slow_init_blocks_requests/0,
         u59_auto_shutdown_all/0, u60_parents_and_strangers/0, u61_position_of_restarted_and_added/0,
         u62_escalation_loses_added_children/0, u63_simple_one_for_one_restart_types/0,
         u64_exits_that_come_together/0, u65_group_restart_gives_up/0, u66_supervisor_that_ignores/0,
         u67_hung_child_holds_up_the_group/0, u68_named_children_come_back/0, u69_stopped_while_a_child_restarts/0,
         u70_child_dies_while_siblings_start/0, u72_terminate_child_in_groups/0]).
-export([refuse/1]).
-import(transcript, [log/1, settle/0, attempt/1, flush/0, client/2, answer/1, held/1, open/2, release/2]).

ids(Ids) -> [cw:spec(Id) || Id <- Ids].

crash(Sup, Id, Reason) ->
    log(['---', crash, Id]),
    csup:crash(Sup, Id, Reason),
    log([kids, csup:kids(Sup)]).

%% Starts a supervisor that main can watch: linked to main, which traps.
watched(Id, Flags, Children) ->
    process_flag(trap_exit, true),
    {ok, Sup} = csup:start_link(Id, Flags, Children),
    Sup.

%% What became of a supervisor that main is linked to.
fate(Sup) -> log([alive, is_process_alive(Sup)]), log([mailbox, flush()]).

u50_one_for_one_crashes() ->
    Sup = watched(sup, #{intensity => 5}, ids([c1, c2, c3, c4])),
    [crash(Sup, Id, boom) || Id <- [c2, c4, c1]],
    csup:stop(Sup).

u51_rest_for_one_crashes() ->
    Sup = watched(sup, #{strategy => rest_for_one, intensity => 5}, ids([c1, c2, c3, c4])),
    [crash(Sup, Id, boom) || Id <- [c2, c4, c1, c3]],
    csup:stop(Sup).

u52_start_failure_rolls_back() ->
    process_flag(trap_exit, true),
    Failing = cw:spec(bad, #{init => [{stop, nope}, {error, oops}, {exit, gone}, {stop, normal}]}),
    Unwilling = #{id => bad, start => {?MODULE, refuse, [unwilling]}},
    [log([start_link, csup:start_link(sup, #{}, ids([c1, c2]) ++ [Bad | ids([c4])])])
     || Bad <- lists:duplicate(4, Failing) ++ [Unwilling]],
    Inner = csup:spec(inner, #{}, ids([i1]) ++ [cw:spec(worse, #{then => {stop, nope}}) | ids([i2])]),
    log([nested, csup:start_link(top, #{}, ids([d1]) ++ [Inner | ids([d2])])]),
    flush(),
    Sup = watched(sup2, #{}, ids([e1])),
    {error, {Why, _}} = supervisor:start_child(Sup, cw:spec(late, #{init => [{stop, nope}]})),
    log([start_child, Why]),
    log([kids, csup:kids(Sup)]),
    {error, {WhyInside, _}} = supervisor:start_child(Sup, Inner),
    log([start_child, WhyInside]),
    log([kids, csup:kids(Sup)]),
    csup:stop(Sup).

refuse(Reason) -> {error, Reason}.

u53_what_counts_against_the_intensity() ->
    log(['---', shared_by_all_children]),
    Shared = watched(sup, #{intensity => 2}, ids([c1, c2, c3])),
    csup:crash(Shared, c1, boom),
    csup:crash(Shared, c3, normal),
    log([alive, is_process_alive(Shared)]),
    csup:crash(Shared, c2, {shutdown, x}),
    fate(Shared),
    log(['---', zero]),
    Zero = watched(sup, #{intensity => 0}, ids([c1, c2])),
    csup:crash(Zero, c1, boom),
    fate(Zero),
    log(['---', what_does_not_count]),
    Free = watched(sup, #{}, [cw:spec(p), cw:spec(t, #{}, #{restart => transient}),
                              cw:spec(x, #{}, #{restart => temporary})]),
    [begin ok = supervisor:terminate_child(Free, p), {ok, _} = supervisor:restart_child(Free, p) end || _ <- [1, 2, 3]],
    csup:crash(Free, t, normal),
    {ok, _} = supervisor:restart_child(Free, t),
    csup:crash(Free, t, shutdown),
    csup:crash(Free, x, boom),
    log([kids, csup:kids(Free)]),
    csup:crash(Free, p, boom),
    log([alive, is_process_alive(Free)]),
    csup:crash(Free, p, boom),
    fate(Free),
    log(['---', a_group_counts_once]),
    Group = watched(sup, #{strategy => one_for_all}, ids([g1, g2, g3])),
    csup:crash(Group, g2, boom),
    log([alive, is_process_alive(Group)]),
    csup:crash(Group, g2, boom),
    fate(Group).

u54_refusals() ->
    Sup = watched(sup, #{}, ids([a, b])),
    log([start_running, supervisor:start_child(Sup, cw:spec(a))]),
    log([restart_running, supervisor:restart_child(Sup, a)]),
    log([delete_running, supervisor:delete_child(Sup, a)]),
    log([terminate, supervisor:terminate_child(Sup, a)]),
    log([terminate_again, supervisor:terminate_child(Sup, a)]),
    log([kids, csup:kids(Sup), csup:counts(Sup)]),
    log([start_present, supervisor:start_child(Sup, cw:spec(a))]),
    {ok, A} = supervisor:restart_child(Sup, a),
    log([restart, A]),
    supervisor:terminate_child(Sup, a),
    log([delete, supervisor:delete_child(Sup, a)]),
    [log([F, supervisor:F(Sup, Id)]) || F <- [terminate_child, restart_child, delete_child], Id <- [a, nobody]],
    {ok, New} = supervisor:start_child(Sup, cw:spec(a)),
    log([start_after_delete, New]),
    {ok, T} = supervisor:start_child(Sup, cw:spec(t, #{}, #{restart => temporary})),
    log([start_temporary, T]),
    log([terminate_temporary, supervisor:terminate_child(Sup, t)]),
    log([and_then, supervisor:restart_child(Sup, t), supervisor:delete_child(Sup, t)]),
    log([kids, csup:kids(Sup)]),
    csup:stop(Sup),
    log([dead, attempt(fun() -> supervisor:start_child(Sup, cw:spec(z)) end)]),
    log([dead, attempt(fun() -> supervisor:terminate_child(Sup, a) end)]),
    log([unknown, attempt(fun() -> supervisor:which_children(nobody_here) end)]).

u55_group_restart_of_finished_and_temporary() ->
    Children = [cw:spec(first, #{}, #{restart => transient}), cw:spec(p), cw:spec(t, #{}, #{restart => transient}),
                cw:spec(x, #{}, #{restart => temporary}), cw:spec(y, #{}, #{restart => temporary}), cw:spec(k)],
    [begin
         log(['---', Strategy]),
         Sup = watched(sup, #{strategy => Strategy, intensity => 5}, Children),
         crash(Sup, x, boom),
         crash(Sup, first, normal),
         crash(Sup, t, normal),
         log([terminate_child, supervisor:terminate_child(Sup, k)]),
         crash(Sup, p, boom),
         crash(Sup, t, boom),
         csup:stop(Sup)
     end || Strategy <- [one_for_all, rest_for_one]].

u56_requests_between_restart_attempts() ->
    Sup = watched(sup, #{intensity => 10}, [cw:spec(a), cw:spec(k, #{init => [ok], then => gate}), cw:spec(z)]),
    cw:stop(csup:kid(Sup, k), boom),
    Second = held(<<"k#2">>),
    Asked = [{kids, fun() -> csup:kids(Sup) end},
             {counts, fun() -> csup:counts(Sup) end},
             {restart, fun() -> supervisor:restart_child(Sup, k) end},
             {delete, fun() -> supervisor:delete_child(Sup, k) end},
             {start, fun() -> supervisor:start_child(Sup, cw:spec(k)) end}],
    [client(Tag, Request) || {Tag, Request} <- Asked],
    log([nothing_answered, [Message || {answer, _, _} = Message <- flush()]]),
    release(Second, {stop, nope}),
    [log([Tag, answer(Tag)]) || {Tag, _} <- Asked],
    Third = held(<<"k#3">>),
    client(terminate, fun() -> supervisor:terminate_child(Sup, k) end),
    release(Third, {stop, nope}),
    log([terminate, answer(terminate)]),
    settle(),
    log([kids, csup:kids(Sup)]),
    client(restart, fun() -> supervisor:restart_child(Sup, k) end),
    open(<<"k#4">>, ok),
    log([restart, answer(restart)]),
    log([kids, csup:kids(Sup)]),
    csup:stop(Sup).

u57_unlinked_child() ->
    Sup = watched(sup, #{}, ids([a, b])),
    B = csup:kid(Sup, b),
    log([unlink, gen_server:call(B, unlink_from_parent)]),
    csup:crash(Sup, b, boom),
    log([unnoticed, csup:kids(Sup), csup:counts(Sup)]),
    log([b_alive, is_process_alive(B)]),
    log([restart_child, supervisor:restart_child(Sup, b)]),
    log([terminate_child, supervisor:terminate_child(Sup, b)]),
    log([kids, csup:kids(Sup)]),
    {ok, Again} = supervisor:restart_child(Sup, b),
    log([restart_child, Again]),
    log([unlink, gen_server:call(Again, unlink_from_parent)]),
    log([unlink, gen_server:call(csup:kid(Sup, a), unlink_from_parent)]),
    log([terminate_child, supervisor:terminate_child(Sup, a), is_process_alive(Again)]),
    csup:stop(Sup),
    log([b_alive, is_process_alive(Again)]).

u58_slow_init_blocks_requests() ->
    Sup = watched(sup, #{}, ids([a])),
    client(start, fun() -> supervisor:start_child(Sup, cw:spec(slow, #{then => gate})) end),
    Slow = held(<<"slow#1">>),
    cw:stop(transcript:named(<<"a#1">>), boom),
    settle(),
    client(kids, fun() -> csup:kids(Sup) end),
    log([not_restarted_and_no_answers_yet, flush()]),
    release(Slow, ok),
    log([start, answer(start)]),
    log([kids, answer(kids)]),
    csup:stop(Sup).

u59_auto_shutdown_all() ->
    Significant = fun(Id, Restart) -> cw:spec(Id, #{}, #{restart => Restart, significant => true}) end,
    Children = [cw:spec(w), Significant(s1, transient), Significant(s2, temporary), Significant(s3, transient)],
    All = #{auto_shutdown => all_significant, intensity => 5},
    log(['---', after_the_last]),
    Sup = watched(sup, All, Children),
    crash(Sup, s2, boom),
    crash(Sup, s1, boom),
    crash(Sup, s3, normal),
    crash(Sup, w, normal),
    csup:crash(Sup, s1, {shutdown, x}),
    fate(Sup),
    log(['---', terminated_by_request]),
    Asked = watched(sup, All, Children),
    [log([terminate_child, supervisor:terminate_child(Asked, Id)]) || Id <- [s1, s2, s3]],
    settle(),
    log([kids, csup:kids(Asked)]),
    csup:stop(Asked),
    log(['---', the_rest_terminated_by_request]),
    Mixed = watched(sup, All, Children),
    [log([terminate_child, supervisor:terminate_child(Mixed, Id)]) || Id <- [s1, s2]],
    csup:crash(Mixed, s3, normal),
    fate(Mixed),
    log(['---', added_later]),
    Empty = watched(sup, All, []),
    {ok, _} = supervisor:start_child(Empty, Significant(s4, temporary)),
    csup:crash(Empty, s4, normal),
    fate(Empty).

u60_parents_and_strangers() ->
    [begin
         log(['---', parent_ends, Reason]),
         {Parent, Sup} = with_parent(ids([c1, c2])),
         log([sup_down, transcript:down(Sup, fun() -> End(Parent) end)])
     end || {Reason, End} <- [{R, fun(P) -> P ! {exit, R} end} || R <- [normal, shutdown, {shutdown, x}, boom, kill]]
                          ++ [{killed, fun(P) -> exit(P, kill) end}]],
    log(['---', strangers]),
    {_, Sup} = with_parent(ids([c1, c2])),
    [exit(Sup, Reason) || Reason <- [normal, shutdown, boom]],
    Stranger = spawn(fun() -> link(Sup), receive stop -> exit(boom) end end),
    settle(),
    log([stranger_down, transcript:down(Stranger, fun() -> Stranger ! stop end)]),
    Sup ! surprise,
    settle(),
    log([kids, csup:kids(Sup)]),
    ok = supervisor:terminate_child(Sup, c2),
    log([sup_down, transcript:down(Sup, fun() -> exit(Sup, kill) end)]),
    settle().

%% A supervisor whose parent is a process that main can end.
with_parent(Children) ->
    Main = self(),
    Parent = spawn(fun() ->
        process_flag(trap_exit, true),
        {ok, Sup} = csup:start_link(sup, #{}, Children),
        Main ! {started, self(), Sup},
        receive {exit, Reason} -> exit(Reason) end
    end),
    receive {started, Parent, Sup} -> {Parent, Sup} end.

u61_position_of_restarted_and_added() ->
    Sup = watched(sup, #{strategy => rest_for_one, intensity => 5}, ids([c1, c2, c3])),
    ok = supervisor:terminate_child(Sup, c1),
    {ok, _} = supervisor:restart_child(Sup, c1),
    log([restarted_keeps_its_place, csup:kids(Sup)]),
    ok = supervisor:terminate_child(Sup, c2),
    ok = supervisor:delete_child(Sup, c2),
    {ok, _} = supervisor:start_child(Sup, cw:spec(c2)),
    {ok, _} = supervisor:start_child(Sup, cw:spec(c4)),
    log([added_again_is_last, csup:kids(Sup)]),
    crash(Sup, c2, boom),
    crash(Sup, c3, boom),
    csup:stop(Sup).

u62_escalation_loses_added_children() ->
    [begin
         log(['---', Restart]),
         Inner = csup:spec(inner, #{intensity => 0}, ids([fixed]), #{restart => Restart}),
         Top = watched(top, #{}, [Inner, cw:spec(w)]),
         {ok, _} = supervisor:start_child(csup:kid(Top, inner), cw:spec(added)),
         log([inner_kids, csup:kids(csup:kid(Top, inner))]),
         csup:crash(csup:kid(Top, inner), fixed, boom),
         log([kids, csup:kids(Top)]),
         [log([inner_kids, csup:kids(Pid)]) || [inner, Pid] <- csup:kids(Top), is_pid(Pid)],
         csup:stop(Top)
     end || Restart <- [permanent, transient, temporary]].

u63_simple_one_for_one_restart_types() ->
    [begin
         log(['---', Restart]),
         Template = #{id => w, start => {cw, start_link, []}, restart => Restart},
         Sup = watched(sup, #{strategy => simple_one_for_one, intensity => 3}, [Template]),
         {ok, A} = supervisor:start_child(Sup, [a, #{quiet => true}]),
         {ok, B} = supervisor:start_child(Sup, [b, #{quiet => true}]),
         Down = [transcript:down(Pid, fun() -> cw:stop(Pid, R) end) || {Pid, R} <- [{A, normal}, {B, boom}]],
         settle(),
         log([down, Down]),
         log([kids, lists:sort([transcript:name(Pid) || [_, Pid] <- csup:kids(Sup)]), csup:counts(Sup)]),
         csup:stop(Sup)
     end || Restart <- [permanent, transient, temporary]],
    log(['---', gives_up]),
    Sup = watched(sup, #{strategy => simple_one_for_one, intensity => 2}, [#{id => w, start => {cw, start_link, []}}]),
    {ok, _} = supervisor:start_child(Sup, [c, #{quiet => true}]),
    {ok, D} = supervisor:start_child(Sup, [d, #{init => [ok], then => {stop, nope}}]),
    cw:stop(D, boom),
    settle(),
    fate(Sup).

u64_exits_that_come_together() ->
    [begin
         log(['---', Strategy]),
         Sup = watched(sup, #{strategy => Strategy, intensity => 1}, ids([c1, c2, c3, c4])),
         [C1, C3, C4] = [csup:kid(Sup, Id) || Id <- [c1, c3, c4]],
         sys:suspend(Sup),
         [transcript:down(Pid, fun() -> cw:stop(Pid, boom) end) || Pid <- [C3, C1, C4]],
         sys:resume(Sup),
         settle(),
         case is_process_alive(Sup) of
             true -> log([kids, csup:kids(Sup)]), csup:stop(Sup);
             false -> fate(Sup)
         end
     end || Strategy <- [one_for_one, one_for_all, rest_for_one]].

u65_group_restart_gives_up() ->
    [begin
         log(['---', Strategy]),
         Children = [cw:spec(c1), cw:spec(Fails, #{init => [ok], then => {error, oops}}), cw:spec(c3)],
         Sup = watched(sup, #{strategy => Strategy, intensity => 2}, Children),
         csup:crash(Sup, Victim, boom),
         fate(Sup)
     end || {Strategy, Fails, Victim} <- [{one_for_all, all2, c1}, {rest_for_one, rest2, c1},
                                          {rest_for_one, own2, own2}]].

u66_supervisor_that_ignores() ->
    process_flag(trap_exit, true),
    log([start_link, csup:start_ignoring(none)]),
    flush(),
    Child = #{id => none, start => {csup, start_ignoring, [none]}, type => supervisor},
    Top = watched(top, #{}, [cw:spec(a), Child, cw:spec(b)]),
    log([kids, csup:kids(Top), csup:counts(Top)]),
    log([restart_child, supervisor:restart_child(Top, none)]),
    log([delete_child, supervisor:delete_child(Top, none)]),
    csup:stop(Top).

u67_hung_child_holds_up_the_group() ->
    Sup = watched(sup, #{strategy => one_for_all}, [cw:spec(a), cw:spec(hung, #{term_gate => true}), cw:spec(c)]),
    cw:stop(csup:kid(Sup, c), boom),
    Hung = held(<<"hung#1">>),
    client(kids, fun() -> csup:kids(Sup) end),
    log([a_still_alive, is_process_alive(transcript:named(<<"a#1">>))]),
    log([no_answer_yet, flush()]),
    release(Hung, ok),
    log([kids, answer(kids)]),
    exit(Sup, shutdown),
    open(<<"hung#2">>, ok),
    receive {'EXIT', Sup, Reason} -> log([sup_exit, Reason]) end.

u68_named_children_come_back() ->
    Sup = watched(sup, #{strategy => one_for_all, intensity => 5},
                  [cw:spec(n1, #{name => u68_n1}), cw:spec(n2, #{name => u68_n2})]),
    log([names, whereis(u68_n1), whereis(u68_n2)]),
    transcript:down(whereis(u68_n1), fun() -> exit(whereis(u68_n1), kill) end),
    settle(),
    log([names, whereis(u68_n1), whereis(u68_n2)]),
    log([terminate_child, supervisor:terminate_child(Sup, n1), whereis(u68_n1)]),
    register(u68_n1, self()),
    log([name_taken, supervisor:restart_child(Sup, n1)]),
    log([kids, csup:kids(Sup)]),
    unregister(u68_n1),
    {ok, Back} = supervisor:restart_child(Sup, n1),
    log([restart_child, Back, whereis(u68_n1)]),
    csup:stop(Sup),
    log([names, whereis(u68_n1), whereis(u68_n2)]).

u69_stopped_while_a_child_restarts() ->
    [begin
         log(['---', Verdict]),
         Restarted = cw:spec(Id, #{init => [ok], then => gate}),
         Sup = watched(sup, #{intensity => 5}, [cw:spec(a), Restarted]),
         cw:stop(csup:kid(Sup, Id), boom),
         Held = held(<<(atom_to_binary(Id))/binary, "#2">>),
         exit(Sup, shutdown),
         client(kids, fun() -> csup:kids(Sup) end),
         log([still_there, is_process_alive(Sup)]),
         release(Held, Verdict),
         log([kids, answer(kids)]),
         receive {'EXIT', Sup, Reason} -> log([sup_exit, Reason]) end
     end || {Id, Verdict} <- [{k, ok}, {f, {stop, nope}}]].

u70_child_dies_while_siblings_start() ->
    [begin
         log(['---', Strategy, Verdict]),
         Flags = #{strategy => Strategy},
         client(start, fun() -> start_unlinked(Flags, [cw:spec(fast), cw:spec(Slow, #{init => [gate]})]) end),
         Held = held(<<(atom_to_binary(Slow))/binary, "#1">>),
         Fast = living(<<"fast#">>),
         log([fast_down, transcript:down(Fast, fun() -> cw:stop(Fast, boom) end)]),
         release(Held, Verdict),
         [ok, Result] = answer(start),
         settle(),
         log([start, Result]),
         case Result of
             {ok, Sup} -> log([kids, csup:kids(Sup)]), csup:crash(Sup, fast, boom), log([alive, is_process_alive(Sup)]);
             {error, _} -> ok
         end
     end || {Strategy, Slow, Verdict} <- [{one_for_one, slow1, ok}, {one_for_all, slow2, ok},
                                          {one_for_one, slow3, {stop, nope}}]].

%% Starts a supervisor from a process that goes on without it.
start_unlinked(Flags, Children) ->
    process_flag(trap_exit, true),
    case csup:start_link(sup, Flags, Children) of
        {ok, Sup} -> unlink(Sup), {ok, Sup};
        Error -> Error
    end.

%% The living process among those whose name begins with Prefix.
living(Prefix) ->
    [Living] = [Pid || {Pid, Name} <- ets:tab2list(transcript_names), is_pid(Pid), is_binary(Name),
                       string:prefix(Name, Prefix) =/= nomatch, is_process_alive(Pid)],
    Living.

u72_terminate_child_in_groups() ->
    [begin
         log(['---', Strategy]),
         Sup = watched(sup, #{strategy => Strategy}, ids([c1, c2, c3])),
         log([terminate_child, supervisor:terminate_child(Sup, c1)]),
         settle(),
         log([others_stay, csup:kids(Sup)]),
         csup:crash(Sup, c2, boom),
         log([kids, csup:kids(Sup)]),
         log([terminate_child, supervisor:terminate_child(Sup, c3)]),
         log([delete_child, supervisor:delete_child(Sup, c3)]),
         csup:crash(Sup, c2, boom),
         fate(Sup)
     end || Strategy <- [one_for_all, rest_for_one]].
