%% Collects what is logged while something happens, and shows it as the transcripts do.
-module(reports).
-export([during/1, kinds/1, of_applications/1, log/2]).

%% Runs F and gives, in order, what was logged until a moment after it: each a list of level, kind and fields.
during(F) ->
    Collector = self(),
    ok = logger:set_handler_config(default, level, none),
    ok = logger:add_handler(?MODULE, ?MODULE, #{config => #{collector => Collector}, level => all}),
    ok = logger:set_primary_config(level, all),
    F(),
    transcript:settle(),
    ok = logger:set_primary_config(level, none),
    ok = logger:remove_handler(?MODULE),
    collected().

%% The same with no more than the kind of each.
kinds(F) -> [Kind || [_, Kind, _] <- during(F)].

%% Those that are about applications.
of_applications(F) -> [Report || Report <- during(F), is_map_key(application, lists:last(Report))].

collected() ->
    receive {?MODULE, Event} -> [Report || Report <- [shown(Event)], Report =/= other] ++ collected()
    after 0 -> [] end.

log(Event, #{config := #{collector := Collector}}) -> Collector ! {?MODULE, Event}.

shown(#{level := Level, msg := {report, #{label := {gen_server, terminate}} = Report}}) ->
    #{name := Name, last_message := Last, state := State, reason := Reason} = Report,
    [Level, server_terminated, #{name => Name, last_message => message(Last), state => State, reason => bare(Reason)}];
shown(#{level := Level, msg := {report, #{label := {proc_lib, crash}, report := [Fields, Neighbours]}}}) ->
    {Class, Reason, _} = proplists:get_value(error_info, Fields),
    Shown = maps:with([initial_call, registered_name, ancestors, message_queue_len, messages, links, dictionary,
                       trap_exit], maps:from_list(Fields)),
    [Level, crash_report, (short(Shown))#{class => Class, reason => Reason, neighbours => length(Neighbours)}];
shown(#{level := Level, msg := {report, #{label := {supervisor, progress}, report := Report}}}) ->
    [Level, progress, #{supervisor => supervisor(Report), child => child(id, Report)}];
shown(#{level := Level, msg := {report, #{label := {supervisor, _}, report := Report}}}) ->
    [Level, supervisor_report, #{supervisor => supervisor(Report), context => proplists:get_value(errorContext, Report),
                                 reason => bare(proplists:get_value(reason, Report)), child => child(id, Report),
                                 child_pid => child(pid, Report)}];
shown(#{level := Level, msg := {report, #{label := {application_controller, progress}, report := Report}}}) ->
    [Level, progress, #{application => proplists:get_value(application, Report)}];
shown(#{msg := {report, #{label := {application_controller, exit}, report := Report}}}) ->
    [application_exited, #{application => proplists:get_value(application, Report),
                           reason => proplists:get_value(exited, Report), type => proplists:get_value(type, Report)}];
shown(#{level := Level, meta := #{error_logger := #{emulator := true}}, msg := {Format, Arguments}})
  when is_list(Format) ->
    [Level, process_error, #{reason => bare(lists:last(Arguments))}];
shown(_) -> other.

%% A reason without its stack, which reports add to that of an exit too.
bare({Reason, [{_, _, _, _} | _]}) -> Reason;
bare(Reason) -> Reason.

short(#{registered_name := []} = Shown) -> short(Shown#{registered_name := undefined});
short(#{initial_call := {Module, Function, Arguments}} = Shown) ->
    Shown#{initial_call => [Module, Function, if is_list(Arguments) -> length(Arguments); true -> Arguments end]};
short(Shown) -> Shown.

message({'$gen_cast', Message}) -> [cast, Message];
message({'$gen_call', _, Message}) -> [call, Message];
message(Message) -> Message.

supervisor(Report) ->
    case proplists:get_value(supervisor, Report) of
        {local, Name} -> Name;
        {Pid, _} -> Pid
    end.

child(Key, Report) ->
    Child = proplists:get_value(offender, Report, proplists:get_value(started, Report)),
    proplists:get_value(Key, Child).
