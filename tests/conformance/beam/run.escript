#!/usr/bin/env escript
%% run.escript NAME...: runs scenarios on a real BEAM, one after another in this VM, and prints `== NAME` and the
%% transcript of each. A scenario is an exported function without arguments of a module in this directory.
-mode(compile).

main(Names) ->
    logger:set_primary_config(level, none),
    Sources = filelib:wildcard(filename:join(filename:dirname(escript:script_name()), "*.erl")),
    Modules = [load(Source) || Source <- Sources],
    ok = timer:start(), % or the first scenario with a timer would start it, and leave it behind
    Standing = processes(),
    [show(list_to_atom(Name), Modules, Standing) || Name <- Names].

load(Source) ->
    {ok, Module, Code} = compile:file(Source, [binary, report, warnings_as_errors]),
    {module, Module} = code:load_binary(Module, Source, Code),
    Module.

show(Name, Modules, Standing) ->
    [Module] = [Module || Module <- Modules, erlang:function_exported(Module, Name, 0)],
    Lines = transcript:run(fun() -> Module:Name() end, Standing),
    io:format("== ~s~n~s", [Name, [[Line, $\n] || Line <- Lines]]).
