%% Worker(id, options): the gen_server that the supervisor scenarios put under supervisors.
%%
%% Every run of init takes the next incarnation name of the id. Options (a map): trap (default true), init (what
%% the n-th incarnation does: ok, ignore, {stop,R}, {error,R}, {exit,R}, gate), then (what incarnations after
%% those do), quiet, term_gate, term_exit, name (an atom, or {via, Module, Term}).
-module(cw).
-behaviour(gen_server).
-export([start_link/1, start_link/2, spec/1, spec/2, spec/3, stop/2]).
-export([init/1, handle_call/3, handle_cast/2, handle_info/2, terminate/2]).

start_link(Id) -> start_link(Id, #{}).
start_link(Id, #{name := {via, _, _} = Name} = Options) -> gen_server:start_link(Name, ?MODULE, {Id, Options}, []);
start_link(Id, #{name := Name} = Options) -> gen_server:start_link({local, Name}, ?MODULE, {Id, Options}, []);
start_link(Id, Options) -> gen_server:start_link(?MODULE, {Id, Options}, []).

%% Child specs: permanent, worker, shutdown 5000 unless Extra says otherwise.
spec(Id) -> spec(Id, #{}).
spec(Id, Options) -> spec(Id, Options, #{}).
spec(Id, Options, Extra) -> maps:merge(#{id => Id, start => {?MODULE, start_link, [Id, Options]}}, Extra).

stop(Worker, Reason) -> gen_server:cast(Worker, {stop, Reason}).

init({Id, Options}) ->
    process_flag(trap_exit, maps:get(trap, Options, true)),
    Name = transcript:next(Id),
    transcript:bind(self(), Name),
    begin_(behaviour(Name, Options), Name, Options).

behaviour(Name, Options) ->
    [_, Incarnation] = binary:split(Name, <<"#">>),
    N = binary_to_integer(Incarnation),
    Listed = maps:get(init, Options, []),
    case N =< length(Listed) of
        true -> lists:nth(N, Listed);
        false -> maps:get(then, Options, ok)
    end.

begin_(ok, Name, Options) -> transcript:log([Name, start]), {ok, {Name, Options}};
begin_(ignore, Name, _) -> transcript:log([Name, init, ignore]), ignore;
begin_({stop, Reason}, Name, _) -> transcript:log([Name, init, {stop, Reason}]), {stop, Reason};
begin_({error, Reason}, Name, _) -> transcript:log([Name, init, {error, Reason}]), error(Reason);
begin_({exit, Reason}, Name, _) -> transcript:log([Name, init, {exit, Reason}]), exit(Reason);
begin_(gate, Name, Options) ->
    transcript:log([Name, init_begin]),
    begin_(transcript:gate(Name), Name, Options).

handle_call(unlink_from_parent, _, {Name, Options}) ->
    [Parent | _] = get('$ancestors'),
    unlink(Parent),
    {reply, ok, {Name, Options}}.

handle_cast({stop, Reason}, State) -> {stop, Reason, State};
handle_cast({error, Reason}, _) -> error(Reason).

handle_info(Message, {Name, _} = State) -> transcript:log([Name, info, Message]), {noreply, State}.

terminate(Reason, {Name, Options}) ->
    maps:get(quiet, Options, false) orelse transcript:log([Name, terminate, Reason]),
    case Options of
        #{term_gate := true} -> transcript:gate(Name), transcript:log([Name, cleanup_done]);
        #{term_exit := Exit} -> exit(Exit);
        #{} -> ok
    end.
