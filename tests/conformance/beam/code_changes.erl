%% Group S, our own: new versions of the code of supervisors. The init of those here returns what version/1 was last
%% given, or what that does when it is a fun.
-module(code_changes).
-behaviour(supervisor).
-export([s59_change_code_of_a_supervisor/0, s60_changes_that_a_supervisor_refuses/0,
         s61_change_code_of_a_template/0, s62_log_to_file/0]).
-export([init/1]).
-import(transcript, [log/1, settle/0]).

-define(FLAGS, #{strategy => one_for_one, intensity => 1, period => 5}).

init(_) ->
    case persistent_term:get(?MODULE) of
        Fun when is_function(Fun) -> Fun();
        Value -> Value
    end.

version(Value) -> persistent_term:put(?MODULE, Value).

start(Value) ->
    version(Value),
    process_flag(trap_exit, true),
    {ok, Sup} = supervisor:start_link(?MODULE, []),
    transcript:bind(Sup, sup).

change(Sup, Value) ->
    version(Value),
    sys:suspend(Sup),
    Result = sys:change_code(Sup, ?MODULE, 1, extra),
    sys:resume(Sup),
    Result.

s59_change_code_of_a_supervisor() ->
    Sup = start({ok, {?FLAGS, [cw:spec(a), cw:spec(b), cw:spec(c)]}}),
    [{ok, _} = supervisor:start_child(Sup, cw:spec(Id)) || Id <- [x, y]],
    Flags = ?FLAGS#{strategy := one_for_all, intensity := 10},
    log([changed, change(Sup, {ok, {Flags, [cw:spec(d), cw:spec(b, #{}, #{restart => transient}), cw:spec(e)]}})]),
    log([kids, csup:kids(Sup)]),
    log([counts, csup:counts(Sup)]),
    {ok, #{restart := Restart}} = supervisor:get_childspec(Sup, b),
    log([b, Restart]),
    log([ignored, change(Sup, ignore)]),
    log([restart_d, element(1, supervisor:restart_child(Sup, d))]),
    log([delete_e, supervisor:delete_child(Sup, e)]),
    [csup:crash(Sup, a, boom) || _ <- [1, 2]],
    log([kids, csup:kids(Sup)]),
    csup:stop(Sup).

s60_changes_that_a_supervisor_refuses() ->
    Sup = start({ok, {?FLAGS, [cw:spec(a)]}}),
    Refused = [{invalid_strategy, {#{strategy => none}, []}},
               {invalid_intensity, {#{intensity => -1}, []}},
               {invalid_period, {#{period => 0}, []}},
               {duplicate, {?FLAGS, [cw:spec(b), cw:spec(b)]}},
               {invalid_restart, {?FLAGS, [cw:spec(b, #{}, #{restart => none})]}}],
    [log([Tag, change(Sup, {ok, Spec})]) || {Tag, Spec} <- Refused],
    log([wrong, change(Sup, wrong)]),
    {error, {'EXIT', {Why, _}}} = change(Sup, fun() -> error(oops) end),
    log([raises, Why]),
    log([exits, change(Sup, fun() -> exit(oops) end)]),
    {error, {unknown_system_msg, {change_code, _, Version, Extra}}} = sys:change_code(Sup, ?MODULE, 1, extra),
    log([running, Version, Extra]),
    log([kids, csup:kids(Sup)]),
    csup:crash(Sup, a, boom),
    log([kids, csup:kids(Sup)]),
    csup:stop(Sup).

s61_change_code_of_a_template() ->
    Flags = ?FLAGS#{strategy := simple_one_for_one},
    Template = fun(Id, Extra) -> Extra#{id => Id, start => {cw, start_link, [Id]}} end,
    Sup = start({ok, {Flags, [Template(old, #{})]}}),
    {ok, A} = supervisor:start_child(Sup, []),
    log([changed, change(Sup, {ok, {Flags, [Template(new, #{restart => transient})]}})]),
    {ok, _} = supervisor:start_child(Sup, []),
    log([old, supervisor:get_childspec(Sup, old)]),
    {ok, #{restart := Restart}} = supervisor:get_childspec(Sup, new),
    log([new, Restart, csup:counts(Sup)]),
    cw:stop(A, boom),
    settle(),
    log([kids, lists:sort([transcript:name(Pid) || {_, Pid, _, _} <- supervisor:which_children(Sup)])]),
    log([none, element(1, change(Sup, {ok, {Flags, []}}))]),
    log([two, element(1, change(Sup, {ok, {Flags, [Template(a, #{}), Template(b, #{})]}}))]),
    log([kids, lists:sort([transcript:name(Pid) || {_, Pid, _, _} <- supervisor:which_children(Sup)])]),
    [begin unlink(Pid), exit(Pid, kill) end || {_, Pid, _, _} <- supervisor:which_children(Sup)],
    settle().

s62_log_to_file() ->
    {ok, Srv} = server:start(srv),
    File = filename:join(filename:basedir(user_cache, "conformance"), "s62.log"),
    ok = filelib:ensure_dir(File),
    Got = fun() ->
        {ok, Text} = file:read_file(File),
        Words = [string:lexemes(Line, " ") || Line <- string:lexemes(Text, "\n")],
        [[Is, What] || [_, _, Is = <<"got">>, What | _] <- Words]
    end,
    ok = file:write_file(File, "*DBG* an earlier got line\n"),
    log([on, sys:log_to_file(Srv, File), Got()]),
    gen_server:cast(Srv, inc),
    gen_server:call(Srv, get),
    log([logged, Got()]),
    {status, _, _, [_, _, _, Debug, _]} = sys:get_status(Srv),
    log([status, [element(1, Option) || Option <- Debug]]),
    log([off, sys:log_to_file(Srv, false)]),
    gen_server:call(Srv, get),
    log([logged, Got()]),
    sys:log_to_file(Srv, File),
    sys:no_debug(Srv),
    gen_server:call(Srv, get),
    log([no_debug, Got()]),
    log([no_such_folder, element(1, sys:log_to_file(Srv, "/nowhere/at/all"))]),
    log([goes_on, gen_server:call(Srv, ping)]),
    file:delete(File).
