%% Group P: what the recorded transcripts leave open about signals, links, monitors, mailboxes, timers and names.
-module(processes).
-export([p51_process_info/0, p52_selective_receive/0, p53_aliases/0, p54_monitor_by_name_and_demonitor/0,
         p55_link_to_the_dead/0, p56_spawn_link_is_atomic/0, p57_timers_and_names/0, p58_suspend_resume/0,
         p59_first_fatal_signal_wins/0, p60_dead_and_unknown_destinations/0, p61_reasons_along_links/0,
         p62_cleanup_of_an_own_exit/0, p63_exit_to_oneself/0, p64_messages_share_nothing/0, p65_many_watchers/0,
         p66_registered_names/0, p67_any_term_is_a_reason/0, p68_a_dead_process_hears_nothing/0]).
-import(transcript, [log/1, settle/0, settle/1, flush/0, attempt/1, down/1, down/2]).

p51_process_info() ->
    A = actor:start(a), B = actor:start(b),
    Info = fun(Pid, Key) -> {Key, Value} = process_info(Pid, Key), Value end,
    [A ! Message || Message <- [m1, m2, m3]],
    settle(),
    log([status, Info(A, status), own, Info(self(), status)]),
    log([message_queue_len, Info(A, message_queue_len), messages, Info(A, messages)]),
    log([trap_exit, Info(A, trap_exit), Info(actor:trapping(t), trap_exit)]),
    actor:ask(A, fun() -> link(B), put(k, v) end),
    log([links, Info(A, links), Info(B, links)]),
    log([dictionary, maps:from_list(Info(A, dictionary))]),
    monitor(process, A),
    log([monitored_by, Info(A, monitored_by), monitors, length(Info(self(), monitors))]),
    register(info_name, A),
    log([registered_name, Info(A, registered_name)]),
    log([parent, Info(A, parent)]),
    log([several, maps:from_list(process_info(A, [message_queue_len, trap_exit]))]),
    log([unknown_key, attempt(fun() -> process_info(A, no_such_key) end)]),
    actor:kill(A),
    log([dead, process_info(A, status)]).

p52_selective_receive() ->
    [self() ! Message || Message <- [b1, a1, b2, a2]],
    log([position_beats_clause_order, receive a1 -> a1; a2 -> a2; b1 -> b1 end]),
    log([skips, receive a2 -> a2 end]),
    self() ! a3,
    log([skipped_come_first, receive Any -> Any end]),
    log([rest_in_order, flush()]),
    log([empty, receive Any2 -> Any2 after 0 -> none end]),
    [self() ! N || N <- lists:seq(1, 500)],
    self() ! wanted,
    log([zero_timeout_scans_all, receive wanted -> found after 0 -> none end]),
    log([left, length(flush())]),
    self() ! early,
    Main = self(),
    Other = actor:start(other),
    actor:tell(Other, fun() -> settle(30), Main ! wanted end),
    log([waits_past_an_unmatched_one, receive wanted -> wanted after 5000 -> none end, flush()]),
    self() ! {pair, 1}, self() ! {pair, 2}, self() ! {pair, 3},
    log([by_content, receive {pair, 2} -> 2 end, receive {pair, N} when N > 1 -> N end, flush()]).

p53_aliases() ->
    Main = self(),
    A = actor:start(a),
    Send = fun(To, Message) -> actor:ask(A, fun() -> To ! Message end) end,
    Alias = alias(),
    Send(Alias, one),
    Send(Alias, two),
    log([active, flush()]),
    log([unalias, unalias(Alias), unalias(Alias)]),
    log([send_to_inactive, Send(Alias, three), flush()]),
    Once = alias([reply]),
    Send(Once, first),
    Send(Once, second),
    log([reply_alias_is_single_shot, flush(), unalias(Once)]),
    Watched = actor:start(watched),
    Ref = monitor(process, Watched, [{alias, reply_demonitor}]),
    actor:ask(A, fun() -> Ref ! {Ref, answer} end),
    log([reply, receive {Ref, Answer} -> Answer end]),
    actor:kill(Watched),
    settle(),
    log([reply_ended_the_monitor, flush()]),
    W2 = actor:start(w2),
    Ref2 = monitor(process, W2, [{alias, demonitor}]),
    actor:ask(A, fun() -> Ref2 ! still_open end),
    log([open_until_demonitor, flush()]),
    demonitor(Ref2),
    actor:ask(A, fun() -> Ref2 ! closed end),
    log([closed_by_demonitor, flush()]),
    Ref3 = monitor(process, W2, [{alias, demonitor}]),
    actor:kill(W2),
    settle(),
    actor:ask(A, fun() -> Ref3 ! after_down end),
    log([closed_by_down, length(flush())]),
    Theirs = actor:ask(A, fun() -> alias() end),
    log([unalias_of_anothers, unalias(Theirs)]),
    actor:kill(A),
    Theirs ! to_a_dead_owner,
    log([main_alive, is_process_alive(Main)]).

p54_monitor_by_name_and_demonitor() ->
    A = actor:start(a), B = actor:start(b),
    register(watched, A),
    monitor(process, watched),
    unregister(watched),
    register(watched, B),
    actor:exits(B, boom),
    log([other_holder_died, flush()]),
    actor:exits(A, bye),
    [{'DOWN', _, process, {Name, _}, Reason}] = flush(),
    log([first_holder_died, [name, Name], Reason]),
    C = actor:start(c),
    Before = monitor(process, C),
    Stays = monitor(process, C),
    Flushed = monitor(process, C),
    log([demonitor_before, demonitor(Before)]),
    actor:exits(C, boom),
    log([demonitor_after, demonitor(Stays), demonitor(Flushed, [flush])]),
    log([only_flush_removes_a_queued_down, flush()]),
    log([again, demonitor(Stays), demonitor(Before, [flush])]),
    D = actor:start(d),
    Ref = monitor(process, D),
    log([info_of_an_active_one, demonitor(Ref, [info])]),
    log([info_again, demonitor(Ref, [info])]),
    register(holder, D),
    ByName = monitor(process, holder),
    actor:tell(D, fun() -> exit(bye) end),
    log([free_at_down, down(ByName), whereis(holder)]).

p55_link_to_the_dead() ->
    Dead = actor:start(dead),
    actor:kill(Dead),
    log([not_trapping, attempt(fun() -> link(Dead) end)]),
    log([links, element(2, process_info(self(), links))]),
    process_flag(trap_exit, true),
    log([trapping, attempt(fun() -> link(Dead) end), flush()]),
    log([unlink_the_dead, attempt(fun() -> unlink(Dead) end), flush()]).

p56_spawn_link_is_atomic() ->
    process_flag(trap_exit, true),
    [begin
         Pid = transcript:bind(spawn_link(fun() -> exit(Reason) end), child),
         log([spawn_link, receive {'EXIT', Pid, Seen} -> Seen end])
     end || Reason <- [normal, boom, kill]],
    [begin
         {_, Ref} = spawn_monitor(fun() -> exit(Reason) end),
         log([spawn_monitor, down(Ref)])
     end || Reason <- [normal, boom, kill]],
    Parent = actor:start(parent),
    Died = down(Parent, fun() -> actor:tell(Parent, fun() -> spawn_link(fun() -> exit(boom) end), timer:sleep(5000) end) end),
    log([a_parent_that_does_not_trap, Died]),
    log([mailbox, flush()]).

p57_timers_and_names() ->
    Main = self(),
    A = actor:start(a),
    register(timed, A),
    erlang:send_after(30, timed, moved),
    unregister(timed),
    register(timed, Main),
    log([goes_to_who_holds_the_name_then, receive moved -> moved after 5000 -> lost end]),
    unregister(timed),
    Timer = erlang:send_after(5000, Main, never),
    log([read_by_another, is_integer(actor:ask(A, fun() -> erlang:read_timer(Timer) end))]),
    log([cancelled_by_another, is_integer(actor:ask(A, fun() -> erlang:cancel_timer(Timer) end))]),
    log([then_unknown, erlang:read_timer(Timer)]),
    erlang:send_after(20, Main, second),
    Main ! first,
    settle(),
    log([behind_what_was_sent_before, flush()]),
    T2 = erlang:send_after(20, Main, one_shot),
    settle(),
    log([fired, flush(), erlang:read_timer(T2), erlang:cancel_timer(T2)]),
    log([negative_time, attempt(fun() -> erlang:send_after(-1, Main, x) end)]).

p58_suspend_resume() ->
    Main = self(),
    A = actor:start(a),
    erlang:suspend_process(A),
    actor:tell(A, fun() -> Main ! ran end),
    settle(),
    log([suspended, flush(), process_info(A, message_queue_len)]),
    log([status, element(2, process_info(A, status))]),
    erlang:suspend_process(A),
    erlang:resume_process(A),
    settle(),
    log([one_resume_for_two_suspends, flush()]),
    erlang:resume_process(A),
    settle(),
    log([resumed, flush()]),
    log([resume_of_a_running_one, attempt(fun() -> erlang:resume_process(A) end)]),
    log([suspend_oneself, attempt(fun() -> erlang:suspend_process(Main) end)]),
    erlang:suspend_process(A),
    log([killed_while_suspended, down(A, fun() -> exit(A, kill) end)]),
    B = actor:start(b),
    erlang:suspend_process(B),
    log([ended_by_a_signal_while_suspended, down(B, fun() -> exit(B, boom) end)]),
    log([suspend_the_dead, attempt(fun() -> erlang:suspend_process(B) end)]),
    C = actor:start(c), Suspender = actor:start(suspender),
    actor:ask(Suspender, fun() -> erlang:suspend_process(C) end),
    actor:tell(C, fun() -> Main ! c_ran end),
    settle(),
    log([suspended_by_another, flush()]),
    actor:kill(Suspender),
    settle(),
    log([the_suspenders_death_resumes, flush()]).

p59_first_fatal_signal_wins() ->
    Both = fun(Pid, R1, R2) -> down(Pid, fun() -> exit(Pid, R1), exit(Pid, R2) end) end,
    log([two_reasons, Both(actor:start(a), first, second)]),
    log([normal_does_not_count, Both(actor:start(b), normal, second)]),
    log([kill_second, Both(actor:start(c), first, kill)]),
    log([kill_first, Both(actor:start(d), kill, second)]),
    T = actor:trapping(t),
    exit(T, one),
    T ! between,
    exit(T, two),
    settle(),
    log([trapper_has_both, element(2, process_info(T, messages))]),
    log([then_killed, Both(T, three, kill)]).

p60_dead_and_unknown_destinations() ->
    Dead = actor:start(dead),
    actor:kill(Dead),
    log([send_to_the_dead, attempt(fun() -> Dead ! hello end)]),
    log([send_to_an_unknown_name, attempt(fun() -> nobody_here ! hello end)]),
    log([exit_to_the_dead, attempt(fun() -> exit(Dead, boom) end)]),
    log([unlink_the_dead, attempt(fun() -> unlink(Dead) end)]),
    log([demonitor_an_unknown, attempt(fun() -> demonitor(make_ref()) end)]),
    log([info_of_the_dead, process_info(Dead)]),
    log([alive, is_process_alive(Dead)]),
    log([whereis, whereis(nobody_here)]),
    log([in_processes, lists:member(Dead, processes()), lists:member(self(), processes())]),
    log([mailbox, flush()]).

p61_reasons_along_links() ->
    [begin
         A = actor:start(a), B = actor:start(b), C = actor:trapping(c),
         actor:ask(A, fun() -> link(B) end),
         actor:ask(B, fun() -> link(C) end),
         RefB = monitor(process, B),
         log([Cause, down(A, fun() -> cause(Cause, A) end), down(RefB)]),
         settle(10),
         log([trapper, element(2, process_info(C, messages))])
     end || Cause <- [kill_signal, own_exit_kill, own_exit_shutdown, own_exit_pair]].

cause(kill_signal, Pid) -> exit(Pid, kill);
cause(own_exit_kill, Pid) -> actor:tell(Pid, fun() -> exit(kill) end);
cause(own_exit_shutdown, Pid) -> actor:tell(Pid, fun() -> exit(shutdown) end);
cause(own_exit_pair, Pid) -> actor:tell(Pid, fun() -> exit({shutdown, x}) end).

p62_cleanup_of_an_own_exit() ->
    Main = self(),
    Ends = fun(Tag, F) -> {_, Ref} = spawn_monitor(F), log([Tag, down(Ref)]) end,
    Ends(nested, fun() -> try try exit(boom) after log([inner]) end after log([outer]) end end),
    Ends(exit_in_cleanup, fun() -> try exit(first) after exit(second) end end),
    Ends(error_in_cleanup, fun() -> try exit(first) after error(second) end end),
    Ends(exit_in_handler, fun() -> try error(oops) catch error:oops -> exit(handled) end end),
    {_, Ref} = spawn_monitor(fun() -> try exit(boom) after Main ! from_cleanup end end),
    log([sent_before_death, receive from_cleanup -> sent end, down(Ref)]),
    Ends(cleanup_may_wait, fun() -> try exit(boom) after settle(20), log([waited]) end end),
    Ends(caught_and_went_on, fun() -> try exit(boom) catch exit:boom -> log([caught]) end, exit(later) end).

p63_exit_to_oneself() ->
    Ends = fun(Tag, F) -> {_, Ref} = spawn_monitor(F), log([Tag, down(Ref)]) end,
    Ends(signal_to_self, fun() -> exit(self(), boom), log([not_reached]) end),
    Ends(cannot_be_caught, fun() -> try exit(self(), boom) catch _:_ -> log([not_reached]) after log([nor_this]) end end),
    Ends(kill_to_self, fun() -> process_flag(trap_exit, true), exit(self(), kill), log([not_reached]) end),
    Ends(trapped, fun() ->
        transcript:bind(self(), me),
        process_flag(trap_exit, true),
        exit(self(), boom),
        log([flush()])
    end).

p64_messages_share_nothing() ->
    A = actor:start(a),
    Message = [1, [2, 3]],
    Main = self(),
    actor:tell(A, fun() -> Main ! {got, receive {list, List} -> List end} end),
    A ! {list, Message},
    log([as_it_was_when_sent, receive {got, Got} -> Got end]),
    {ok, Srv} = server:start(srv),
    log([gen_server:call(Srv, {set, Message})]),
    log([the_servers_own, gen_server:call(Srv, get)]),
    log([a_reply_is_a_copy, gen_server:call(Srv, get)]).

p65_many_watchers() ->
    Hub = actor:start(hub),
    Watchers = [actor:start(watcher) || _ <- lists:seq(1, 100)],
    [actor:ask(Watcher, fun() -> monitor(process, Hub) end) || Watcher <- Watchers],
    log([monitored_by, length(element(2, process_info(Hub, monitored_by)))]),
    {Gone, Left} = lists:split(40, Watchers),
    [actor:kill(Watcher) || Watcher <- Gone],
    log([after_40_died, length(element(2, process_info(Hub, monitored_by)))]),
    actor:exits(Hub, bye),
    settle(),
    Downs = [Message || Watcher <- Left, Message <- element(2, process_info(Watcher, messages))],
    log([downs, length(Downs), lists:usort([Reason || {'DOWN', _, process, _, Reason} <- Downs])]),
    Spokes = [actor:start(spoke) || _ <- lists:seq(1, 100)],
    Center = actor:start(center),
    [actor:ask(Center, fun() -> link(Spoke) end) || Spoke <- Spokes],
    Refs = [monitor(process, Spoke) || Spoke <- Spokes],
    actor:exits(Center, torn),
    log([a_star_torn, lists:usort([down(Ref) || Ref <- Refs])]).

p66_registered_names() ->
    A = actor:start(a), B = actor:start(b),
    Ours = fun() -> [Name || Name <- lists:sort(registered()), lists:member(Name, [reg_a, reg_b])] end,
    register(reg_b, B),
    register(reg_a, A),
    log([registered, Ours()]),
    log([unregistered_by_another, actor:ask(A, fun() -> unregister(reg_b) end), whereis(reg_b)]),
    register(reg_b, B),
    actor:exits(A, boom),
    log([freed_by_death, Ours()]),
    log([not_a_pid, attempt(fun() -> register(reg_c, not_a_pid) end)]),
    log([exit_by_name, down(B, fun() -> exit(whereis(reg_b), bye) end), Ours()]),
    register(reg_main, self()),
    reg_main ! by_own_name,
    log([own_name, flush()]).

p67_any_term_is_a_reason() ->
    [begin
         Linked = actor:trapping(linked),
         {Pid, Ref} = spawn_monitor(fun() -> link(Linked), exit(Reason) end),
         transcript:bind(Pid, ending),
         log([own_exit, down(Ref)]),
         settle(10),
         log([element(2, process_info(Linked, messages))]),
         A = actor:start(a),
         log([signal, down(A, fun() -> exit(A, Reason) end)])
     end || Reason <- [42, [], [1, [two]], #{a => [1]}, {}, undefined, true, {a, b, c}]].

p68_a_dead_process_hears_nothing() ->
    Main = self(),
    A = actor:start(a),
    register(p68, A),
    actor:tell(A, fun() -> settle(20), Main ! never end),
    exit(A, boom),
    settle(),
    log([mailbox, flush(), whereis(p68)]),
    B = actor:start(b),
    Ref = monitor(process, B),
    [actor:tell(B, fun() -> Main ! N end) || N <- [1, 2, 3]],
    actor:tell(B, fun() -> exit(enough) end),
    actor:tell(B, fun() -> Main ! never end),
    log([down(Ref)]),
    log([what_it_did_before, flush()]),
    C = actor:start(c),
    Timer = erlang:send_after(20, C, fun() -> Main ! never end),
    actor:kill(C),
    settle(),
    log([timer, erlang:read_timer(Timer), flush()]),
    D = actor:start(d),
    actor:ask(D, fun() -> spawn(fun() -> settle(30), Main ! orphan end) end),
    actor:kill(D),
    log([an_orphan_goes_on, receive orphan -> orphan after 5000 -> lost end]).
