%% An application that says what happens to it: start/2 logs, then does what its start arguments say.
-module(application_case).
-behaviour(application).
-export([load/3, load/4]).
-export([start/2, prep_stop/1, stop/1]).

%% Makes an application known that needs Others; How is a list of child specs for its supervisor, {error, R}, or
%% {raise, R}.
load(Name, Others, How) -> load(Name, Others, How, []).
load(Name, Others, How, Env) ->
    application:load({application, Name, [{applications, [kernel, stdlib | Others]}, {env, Env},
                                          {mod, {?MODULE, {Name, How}}}]}).

start(Type, {Name, How}) ->
    transcript:log([Name, start, Type]),
    case How of
        {error, Reason} -> {error, Reason};
        {flags, Flags, Children} -> start_tree(Name, Flags, Children);
        Children -> start_tree(Name, #{intensity => 0}, Children)
    end.

start_tree(Name, Flags, Children) ->
    case csup:start_link(Name, Flags, Children) of
        {ok, Pid} -> {ok, Pid, {state_of, Name}};
        Error -> Error
    end.

prep_stop({state_of, Name}) -> transcript:log([Name, prep_stop]), {prepared, Name}.

stop({prepared, Name}) -> transcript:log([Name, stop]).
