%% What supervisors keep of child specs, and give back.
-module(child_specs).
-export([u71_childspecs/0, u73_arguments_of_temporary_children/0, u74_spec_of_a_template/0]).
-import(transcript, [log/1, settle/0]).

watched(Id, Flags, Children) ->
    process_flag(trap_exit, true),
    {ok, Sup} = csup:start_link(Id, Flags, Children),
    Sup.

ids(Ids) -> [cw:spec(Id) || Id <- Ids].

u71_childspecs() ->
    Inner = csup:spec(inner, #{}, ids([i])),
    Sup = watched(sup, #{auto_shutdown => any_significant},
                  [cw:spec(w), cw:spec(t, #{}, #{restart => transient, shutdown => 100, significant => true}), Inner,
                   cw:spec(b, #{}, #{restart => temporary, shutdown => brutal_kill})]),
    [begin
         {ok, Spec} = supervisor:get_childspec(Sup, Id),
         log([Id, maps:with([restart, shutdown, type, significant], Spec)])
     end || Id <- [w, t, inner, b]],
    log([by_pid, supervisor:get_childspec(Sup, csup:kid(Sup, w)), supervisor:terminate_child(Sup, csup:kid(Sup, w))]),
    log([unknown, supervisor:get_childspec(Sup, nobody)]),
    ok = supervisor:terminate_child(Sup, w),
    {ok, Still} = supervisor:get_childspec(Sup, w),
    log([not_running, maps:get(id, Still)]),
    csup:stop(Sup).

u73_arguments_of_temporary_children() ->
    [begin
         log(['---', Strategy]),
         Sup = watched(sup, #{strategy => Strategy}, [cw:spec(first, #{}, #{restart => temporary}), cw:spec(w)]),
         [{ok, _} = supervisor:start_child(Sup, cw:spec(Id, #{}, #{restart => Type}))
          || {Id, Type} <- [{once, temporary}, {tr, transient}, {perm, permanent}]],
         log([ignored, supervisor:start_child(Sup, cw:spec(none, #{init => [ignore]}, #{restart => temporary}))]),
         log([keep_arguments, [[Id, keeps_arguments(Sup, Id)] || Id <- [first, w, once, tr, perm]]]),
         csup:crash(Sup, perm, boom),
         log([keep_arguments, [[Id, keeps_arguments(Sup, Id)] || {Id, _, _, _} <- supervisor:which_children(Sup)]]),
         csup:stop(Sup)
     end || Strategy <- [one_for_one, rest_for_one, one_for_all]].

keeps_arguments(Sup, Id) ->
    {ok, #{start := {_, _, Arguments}}} = supervisor:get_childspec(Sup, Id),
    Arguments =/= undefined.

u74_spec_of_a_template() ->
    [begin
         log(['---', Type]),
         Sup = watched(sup, #{strategy => simple_one_for_one}, [cw:spec(w, #{}, #{restart => Type, start => {cw, start_link, []}})]),
         {ok, Pid} = supervisor:start_child(Sup, [k]),
         log([by_id, found(Sup, w)]),
         log([by_pid, found(Sup, Pid)]),
         log([terminate_child, supervisor:terminate_child(Sup, w), supervisor:terminate_child(Sup, Pid)]),
         log([by_dead_pid, found(Sup, Pid)]),
         log([strangers, found(Sup, x), found(Sup, self())]),
         csup:stop(Sup)
     end || Type <- [permanent, temporary]].

found(Sup, Key) ->
    case supervisor:get_childspec(Sup, Key) of
        {ok, #{id := Id, restart := Type}} -> [Id, Type];
        Error -> Error
    end.
