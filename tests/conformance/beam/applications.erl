%% What the recorded application scenario leaves open.
-module(applications).
-export([a50_dependencies/0, a51_failed_starts/0, a52_settings/0, a53_trees_that_end_by_themselves/0,
         a54_what_is_reported_of_applications/0, a55_failures_of_many/0]).
-import(transcript, [log/1, settle/0]).

running(Names) -> [Name || Name <- Names, lists:keymember(Name, 1, application:which_applications())].

child_of(Name) -> list_to_atom(atom_to_list(Name) ++ "_w").

unload(Names) -> [begin application:stop(Name), application:unload(Name) end || Name <- Names].

a50_dependencies() ->
    Names = [base, left, right, top],
    Others = #{base => [], left => [base], right => [base], top => [left, right]},
    Child = fun(Name) -> cw:spec(child_of(Name), #{quiet => true}) end,
    [ok = application_case:load(Name, maps:get(Name, Others), [Child(Name)]) || Name <- Names],
    log([start_top, application:start(top)]),
    log([start_right, application:start(right)]),
    log([ensure_all, application:ensure_all_started(top)]),
    log([ensure_again, application:ensure_all_started(top)]),
    log([running, running(Names)]),
    log(['---', stop_what_others_need]),
    log([stop, application:stop(base)]),
    log([running, running(Names)]),
    log([stop, application:stop(top)]),
    log([start_top, application:start(top)]),
    log([start_top, application:start(top)]),
    log([ensure_all, application:ensure_all_started(left)]),
    log([stop, application:stop(left)]),
    log([ensure_left, application:ensure_all_started(left)]),
    log([running, running(Names)]),
    unload(lists:reverse(Names)).

a51_failed_starts() ->
    ok = application_case:load(good, [], [cw:spec(child_of(good), #{quiet => true})]),
    ok = application_case:load(refuses, [good], {error, no_luck}),
    ok = application_case:load(rootless, [good], [cw:spec(w), cw:spec(bad, #{then => {stop, nope}})]),
    ok = application_case:load(after_it, [rootless], [cw:spec(never)]),
    log([needs_good, application:start(refuses)]),
    log([ensure_all, application:ensure_all_started(refuses)]),
    log([rolled_back, running([good, refuses])]),
    log([start_good, application:start(good)]),
    log([refuses, application:start(refuses)]),
    log([rootless, application:start(rootless)]),
    log([ensure_all, application:ensure_all_started(after_it)]),
    log([what_ran_before_stays, running([good, refuses, rootless, after_it])]),
    log([stop, [application:stop(Name) || Name <- [after_it, rootless, good, good]]]),
    unload([after_it, rootless, refuses, good]).

a52_settings() ->
    log([not_loaded, application:get_env(app, key)]),
    log([load, application_case:load(app, [], [cw:spec(w)], [{key, 1}, {other, [a, b]}])]),
    {error, {Why, _}} = application_case:load(app, [], []),
    log([load_again, Why]),
    log([get_env, application:get_env(app, key), application:get_env(app, nothing),
         application:get_env(app, nothing, 7)]),
    log([all, maps:from_list(application:get_all_env(app))]),
    ok = application:set_env(app, key, 2),
    ok = application:set_env(app, new, 3),
    ok = application:unset_env(app, other),
    log([all, maps:from_list(application:get_all_env(app))]),
    log([start, application:start(app)]),
    log([unload_running, application:unload(app)]),
    log([stop, application:stop(app)]),
    log([settings_stay, maps:from_list(application:get_all_env(app))]),
    log([unload, application:unload(app), application:unload(app)]),
    log([gone, application:get_env(app, key), application:get_all_env(app)]),
    log([load, application_case:load(app, [], [], [{key, 1}])]),
    log([as_at_first, application:get_env(app, key)]),
    unload([app]).

a53_trees_that_end_by_themselves() ->
    Names = [finishes, killed, bystander],
    Done = cw:spec(done, #{}, #{restart => transient, significant => true}),
    Significant = {flags, #{auto_shutdown => any_significant}, [cw:spec(w), Done]},
    ok = application_case:load(finishes, [], Significant),
    ok = application_case:load(killed, [], [cw:spec(k, #{quiet => true})]),
    ok = application_case:load(bystander, [], [cw:spec(b)]),
    {ok, _} = application:ensure_all_started(bystander),
    [begin
         log(['---', Name]),
         log([start, application:start(Name)]),
         log([start_again, application:start(Name)]),
         End(),
         settle(),
         log([running, running(Names)])
     end || {Name, End} <- [{finishes, fun() -> cw:stop(transcript:named(<<"done#1">>), normal) end},
                            {killed, fun() -> exit(transcript:named(<<"killed#1">>), kill) end},
                            {killed, fun() -> cw:stop(transcript:named(<<"k#2">>), boom) end},
                            {finishes, fun() -> cw:stop(transcript:named(<<"w#2">>), boom) end}]],
    [log([stop, application:stop(Name)]) || Name <- [finishes, bystander]],
    unload(Names).

a54_what_is_reported_of_applications() ->
    ok = application_case:load(calm, [], [cw:spec(c)]),
    ok = application_case:load(refuses, [], {error, no_luck}),
    Done = cw:spec(done, #{}, #{restart => transient, significant => true}),
    ok = application_case:load(finishes, [], {flags, #{auto_shutdown => any_significant}, [Done]}),
    Reported = fun(F) -> log([reported, reports:of_applications(F)]) end,
    Reported(fun() -> application:start(calm) end),
    Reported(fun() -> application:start(calm) end),
    Reported(fun() -> application:start(refuses) end),
    Reported(fun() -> application:start(finishes, transient) end),
    Reported(fun() -> cw:stop(transcript:named(<<"c#1">>), boom) end),
    Reported(fun() -> application:stop(finishes) end),
    unload([calm, refuses, finishes]).

a55_failures_of_many() ->
    ok = application_case:load(base, [], [cw:spec(b)]),
    ok = application_case:load(refuses, [base], {error, no_luck}),
    ok = application_case:load(needy, [base, refuses], [cw:spec(n)]),
    ok = application_case:load(orphan, [base, missing], [cw:spec(o)]),
    [begin
         {error, {Name, _}} = application:ensure_all_started(App),
         log([App, failed_at, Name, running(['base', refuses, needy, orphan])])
     end || App <- [refuses, needy, orphan, missing]],
    unload([orphan, needy, refuses, base]).
