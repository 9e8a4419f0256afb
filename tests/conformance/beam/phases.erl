%% Start phases of applications.
-module(phases).
-behaviour(application).
-export([a56_start_phases/0]).
-export([start/2, stop/1, start_phase/3]).
-import(transcript, [log/1]).

a56_start_phases() ->
    Cases = [{both, [{first, 1}, {second, 2}]}, {none, []}, {stops, [{first, 1}, {fails, x}, {second, 2}]},
             {raises, [{raises, x}]}, {exits, [{exits, x}]}, {strange, [{strange, x}]}],
    [begin
         ok = application:load({application, Name, [{mod, {?MODULE, Name}}, {applications, []}, {start_phases, Phases}]}),
         log([Name, said(application:start(Name))]),
         log([runs, lists:keymember(Name, 1, application:which_applications())]),
         application:stop(Name),
         application:unload(Name)
     end || {Name, Phases} <- Cases].

said(ok) -> ok;
said({error, {Reason, {?MODULE, Function, Arguments}}}) -> [error, Reason, Function, Arguments];
said({error, {bad_return_value, {{?MODULE, Function, Arguments}, {'EXIT', {Reason, [_ | _]}}}}}) ->
    [bad, Function, Arguments, Reason];
said({error, {bad_return_value, {{?MODULE, Function, Arguments}, {'EXIT', Reason}}}}) ->
    [bad, Function, Arguments, Reason];
said({error, {bad_return_value, {{?MODULE, Function, Arguments}, Value}}}) -> [bad, Function, Arguments, Value].

start(_, Name) -> log([start, Name]), csup:start_link(Name, #{}, []).
stop(_) -> log([stop]).

start_phase(fails, _, _) -> {error, why};
start_phase(raises, _, _) -> error(oops);
start_phase(exits, _, _) -> exit(gone);
start_phase(strange, _, _) -> strange;
start_phase(Phase, Type, Argument) -> log([phase, Phase, Type, Argument]), ok.
