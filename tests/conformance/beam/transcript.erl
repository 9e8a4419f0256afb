%% The transcript of one scenario: a log in one total order, rendered as JSON, one event a line.
%%
%% Every scenario runs in a fresh process, `main`. What it logs is recorded before log/1 returns, so the order of
%% the lines is the order in which things happened. Processes are shown by the names that bind/2 gave them.
-module(transcript).
-export([run/2, log/1, bind/2, named/1, name/1, next/1, settle/0, settle/1, ms/1, flush/0, attempt/1, down/1, down/2,
         await/1, gate/1, held/1, open/2, release/2, client/2, answer/1]).

-define(NAMES, transcript_names).
-define(QUIET, 60).

%% Runs Scenario (a fun) in a process of its own and returns the transcript as a list of binaries. Whatever the
%% scenario left alive is killed, so that scenarios which share a VM do not see each other.
run(Scenario, Standing) ->
    ets:new(?NAMES, [named_table, public]),
    Recorder = spawn(fun() -> record([]) end),
    register(?MODULE, Recorder),
    {Main, Ref} = spawn_monitor(fun() -> bind(self(), main), receive begin_ -> Scenario() end end),
    Main ! begin_,
    receive
        {'DOWN', Ref, process, Main, normal} -> ok;
        {'DOWN', Ref, process, Main, Reason} -> log(['!', main, Reason])
    end,
    Recorder ! {lines, self()},
    Lines = receive {Recorder, Recorded} -> Recorded end,
    [put_down(Pid) || Pid <- processes() -- Standing, not is_of_elixir(Pid)],
    ets:delete(?NAMES),
    Lines.

%% Whether Pid belongs to Elixir itself, which starts some processes at first use, and ends after a few restarts.
is_of_elixir(Pid) ->
    case process_info(Pid, dictionary) of
        {dictionary, Dictionary} -> lists:member(elixir_sup, proplists:get_value('$ancestors', Dictionary, []));
        undefined -> false
    end.

put_down(Pid) ->
    Ref = monitor(process, Pid),
    exit(Pid, kill),
    receive {'DOWN', Ref, process, Pid, _} -> ok end.

record(Lines) ->
    receive
        {line, From, Line} -> From ! {self(), recorded}, record([Line | Lines]);
        {lines, From} -> From ! {self(), lists:reverse(Lines)}
    end.

%% Records one event and returns ok. The caller's mailbox keeps its order: only the recorder's answer is
%% taken out of it.
log(Event) ->
    Recorder = whereis(?MODULE),
    Recorder ! {line, self(), iolist_to_binary(render(Event))},
    receive {Recorder, recorded} -> ok end.

%% From now on Pid is shown as Name.
bind(Pid, Name) -> ets:insert(?NAMES, {Pid, Name}), Pid.

%% The process that is shown as Name, and the other way round.
named(Name) -> [{Pid, _}] = ets:match_object(?NAMES, {'_', Name}), Pid.
name(Pid) -> [{_, Name}] = ets:lookup(?NAMES, Pid), Name.

%% The next incarnation's name for Id: id#1, id#2, ...
next(Id) ->
    N = ets:update_counter(?NAMES, {incarnation, Id}, 1, {{incarnation, Id}, 0}),
    iolist_to_binary([atom_to_list(Id), $#, integer_to_list(N)]).

%% Lets what was already sent be handled.
settle() -> settle(?QUIET).
settle(Milliseconds) -> timer:sleep(Milliseconds).

%% A time of a scenario in which something must happen before another timer fires: longer where that was missed before.
ms(Milliseconds) -> Milliseconds * list_to_integer(os:getenv("SLOWNESS", "1")).

%% All messages of the mailbox, which is empty afterwards.
flush() -> receive Message -> [Message | flush()] after 0 -> [] end.

%% What X() does: [ok, Value], [exit, Reason] or [error, Reason].
attempt(X) ->
    try [ok, X()]
    catch
        exit:Reason -> [exit, Reason];
        error:Reason -> [error, Reason];
        throw:Ball -> [throw, Ball]
    end.

%% Waits for the end of Pid, or of the process that Ref monitors, and returns the reason.
down(Pid) when is_pid(Pid) -> down(monitor(process, Pid));
down(Ref) -> receive {'DOWN', Ref, process, _, Reason} -> Reason after 10000 -> no_down end.

%% Does what Cause() does with a monitor on Pid set up before, and returns the reason of Pid's end.
down(Pid, Cause) ->
    Ref = monitor(process, Pid),
    Cause(),
    down(Ref).

%% Waits for the very message Expected.
await(Expected) -> receive Expected -> Expected after 10000 -> log(['!', no_message, Expected]) end.

%% Called by what a scenario wants to hold at a point: tells main that Name is there, waits, gives open's Verdict.
gate(Name) ->
    main() ! {at_gate, Name, self()},
    receive {gate_open, Verdict} -> Verdict end.

%% Waits until Name stands at its gate, and returns its pid for release/2.
held(Name) -> receive {at_gate, Name, Pid} -> Pid after 10000 -> log(['!', nobody_at_gate, Name]) end.

release(Pid, Verdict) -> Pid ! {gate_open, Verdict}.

%% Waits until Name stands at its gate, and lets it through with Verdict.
open(Name, Verdict) -> release(held(Name), Verdict).

%% Makes a request from a process of its own, so that main goes on; answer(Tag) waits for what came of it.
client(Tag, Request) ->
    spawn(fun() -> main() ! {answer, Tag, attempt(Request)} end),
    settle().

answer(Tag) -> receive {answer, Tag, Answer} -> Answer after 10000 -> log(['!', no_answer, Tag]) end.

main() -> named(main).

%% -- Rendering ----------------------------------------------------------------------------------------------------

render(true) -> "true";
render(false) -> "false";
render(undefined) -> "null";
render(nil) -> "null";
render(Atom) when is_atom(Atom) -> quote(atom_to_binary(Atom));
render(Text) when is_binary(Text) -> quote(Text);
render(Number) when is_integer(Number) -> integer_to_list(Number);
render(Pid) when is_pid(Pid) ->
    case ets:lookup(?NAMES, Pid) of
        [{_, Name}] -> render(Name);
        [] -> quote(<<"<pid>">>)
    end;
render(Ref) when is_reference(Ref) -> quote(<<"<ref>">>);
render(Fun) when is_function(Fun) -> quote(<<"<fun>">>);
render(#{'__exception__' := true, '__struct__' := Module} = Exception) -> render(Module:message(Exception));
render(Map) when is_map(Map) ->
    Fields = [[render(Key), $:, render(Value)] || {Key, Value} <- lists:sort(maps:to_list(Map))],
    [${, lists:join($,, Fields), $}];
render({Reason, [{Module, Function, Arity, Location} | _]})
  when is_atom(Module), is_atom(Function), is_list(Location), is_integer(Arity) orelse is_list(Arity) ->
    [<<"{\"error\":">>, render(Reason), $}];
render({Reason, {Module, Function, Arguments}}) when is_atom(Module), is_atom(Function), is_list(Arguments) ->
    [<<"{\"in\":">>, render(Function), <<",\"reason\":">>, render(Reason), $}];
render(Tuple) when is_tuple(Tuple) -> render(tuple_to_list(Tuple));
render(List) when is_list(List) -> [$[, lists:join($,, [render(Item) || Item <- List]), $]].

quote(Text) -> [$", binary:replace(Text, <<"\"">>, <<"\\\"">>, [global]), $"].
