%% Srv(name): the scriptable gen_server of the scenarios. It starts with the state 0 and logs under its name; what a
%% request does is in the request. A scenario replaces callbacks with funs of its own: a map of init (fun/0, gives the
%% result of init), call (fun/3), cast, info, continue, terminate (fun/2); one that returns default changes nothing.
-module(server).
-behaviour(gen_server).
-export([start/1, start/2, start/3, start_link/1, start_link/2, start_link/3]).
-export([init/1, handle_call/3, handle_cast/2, handle_info/2, handle_continue/2, terminate/2, code_change/3]).

start(Name) -> start(Name, #{}).
start(Name, Callbacks) -> start(Name, Callbacks, []).
start(Name, #{register := As} = Callbacks, Options) ->
    gen_server:start({local, As}, ?MODULE, {Name, Callbacks}, Options);
start(Name, Callbacks, Options) -> gen_server:start(?MODULE, {Name, Callbacks}, Options).

start_link(Name) -> start_link(Name, #{}).
start_link(Name, Callbacks) -> start_link(Name, Callbacks, []).
start_link(Name, #{register := As} = Callbacks, Options) ->
    gen_server:start_link({local, As}, ?MODULE, {Name, Callbacks}, Options);
start_link(Name, Callbacks, Options) -> gen_server:start_link(?MODULE, {Name, Callbacks}, Options).

init({Name, Callbacks}) ->
    transcript:bind(self(), Name),
    put(name, Name),
    put(callbacks, Callbacks),
    process_flag(trap_exit, maps:get(trap, Callbacks, false)),
    case Callbacks of
        #{init := Init} -> Init();
        #{} -> {ok, 0}
    end.

handle_call(Request, From, State) -> own(call, [Request, From, State], fun call/3).
handle_cast(Message, State) -> own(cast, [Message, State], fun cast/2).
handle_info(Message, State) -> own(info, [Message, State], fun info/2).
handle_continue(Term, State) -> own(continue, [Term, State], fun continue/2).
terminate(Reason, State) -> own(terminate, [Reason, State], fun terminated/2).
code_change(_, _, fail) -> error(oops);
code_change(Old, State, Extra) -> {ok, [changed, Old, State, Extra]}.

own(Callback, Arguments, Otherwise) ->
    case get(callbacks) of
        #{Callback := Own} ->
            case apply(Own, Arguments) of
                default -> apply(Otherwise, Arguments);
                Result -> Result
            end;
        #{} -> apply(Otherwise, Arguments)
    end.

call(ping, _, State) -> {reply, pong, State};
call(get, _, State) -> {reply, State, State};
call({set, New}, _, State) -> {reply, [was, State], New};
call({stop, Reason}, _, State) -> {stop, Reason, State};
call({stop, Reason, Reply}, _, State) -> {stop, Reason, Reply, State};
call({error, Reason}, _, _) -> error(Reason);
call({exit, Reason}, _, _) -> exit(Reason);
call({sleep, Milliseconds, Reply}, _, State) -> timer:sleep(Milliseconds), {reply, Reply, State};
call(_, _, State) -> {noreply, State}.

cast({stop, Reason}, State) -> {stop, Reason, State};
cast({error, Reason}, _) -> error(Reason);
cast({exit, Reason}, _) -> exit(Reason);
cast(inc, State) -> {noreply, State + 1};
cast({set, New}, _) -> {noreply, New};
cast(Message, State) -> transcript:log([get(name), cast, Message]), {noreply, State}.

info(Message, State) -> transcript:log([get(name), info, Message]), {noreply, State}.
continue(Term, State) -> transcript:log([get(name), continue, Term]), {noreply, State}.
terminated(Reason, _) -> transcript:log([get(name), terminate, Reason]).
