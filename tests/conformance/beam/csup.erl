%% Sup(id, flags, children): a supervisor whose init takes the id's next incarnation name and logs it; and what the
%% scenarios do with supervisors: look at them, crash their children, stop them.
-module(csup).
-behaviour(supervisor).
-export([start_link/3, start_ignoring/1, spec/3, spec/4, kids/1, kid/2, counts/1, crash/3, stop/1]).
-export([init/1]).

start_link(Id, Flags, Children) -> supervisor:start_link(?MODULE, {Id, Flags, Children}).

%% Starts a supervisor that has nothing to supervise: its init ignores.
start_ignoring(Id) -> supervisor:start_link(?MODULE, {Id, ignore}).

%% As a child: type supervisor, shutdown infinity.
spec(Id, Flags, Children) -> spec(Id, Flags, Children, #{}).
spec(Id, Flags, Children, Extra) ->
    maps:merge(#{id => Id, start => {?MODULE, start_link, [Id, Flags, Children]}, type => supervisor}, Extra).

init({Id, ignore}) -> announce(Id), ignore;
init({Id, Flags, Children}) -> announce(Id), {ok, {Flags, Children}}.

announce(Id) ->
    Name = transcript:next(Id),
    transcript:bind(self(), Name),
    transcript:log([Name, init]).

%% [id, name, null or restarting], the most recently started first.
kids(Sup) -> [[Id, Pid] || {Id, Pid, _, _} <- supervisor:which_children(Sup)].

kid(Sup, Id) -> {Id, Pid, _, _} = lists:keyfind(Id, 1, supervisor:which_children(Sup)), Pid.

counts(Sup) -> maps:from_list(supervisor:count_children(Sup)).

%% Makes the child end with Reason, and gives the supervisor time to deal with it.
crash(Sup, Id, Reason) -> cw:stop(kid(Sup, Id), Reason), transcript:settle().

%% Ends a supervisor as its parent does, and logs with which reason it went.
stop(Sup) ->
    unlink(Sup),
    Reason = transcript:down(Sup, fun() -> exit(Sup, shutdown) end),
    transcript:log([main, sup_down, Reason]).
