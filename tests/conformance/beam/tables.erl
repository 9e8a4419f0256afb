%% Tables that processes own (ets).
-module(tables).
-export([e01_sets/0, e02_bags_and_orders/0, e03_owners_and_heirs/0, e04_counters_and_elements/0, e05_matches/0]).
-import(transcript, [log/1, settle/0, flush/0, attempt/1]).

kind(Attempt) -> hd(Attempt).
sorted(Objects) -> lists:sort(Objects).

e01_sets() ->
    T = ets:new(t, [set]),
    log([insert, ets:insert(T, {a, 1}), ets:insert(T, [{b, 2}, {c, 3}]), ets:lookup(T, a), ets:lookup(T, z)]),
    log([replace, ets:insert(T, {a, 10}), ets:lookup(T, a)]),
    log([insert_new, ets:insert_new(T, {a, 11}), ets:insert_new(T, {d, 4}), ets:insert_new(T, [{e, 5}, {a, 6}])]),
    log([member, ets:member(T, d), ets:member(T, e)]),
    log([all, sorted(ets:tab2list(T)), ets:info(T, size)]),
    log([delete, ets:delete(T, b), ets:delete(T, b), ets:delete_object(T, {c, 99}), ets:delete_object(T, {c, 3})]),
    log([left, sorted(ets:tab2list(T))]),
    log([take, ets:take(T, a), ets:take(T, a)]),
    log([element, ets:lookup_element(T, d, 2), kind(attempt(fun() -> ets:lookup_element(T, zz, 2) end))]),
    log([delete_all, ets:delete_all_objects(T), ets:tab2list(T), ets:first(T)]),
    log([wrong, [kind(attempt(fun() -> ets:insert(T, Object) end)) || Object <- [7, {}]]]),
    log([delete_table, ets:delete(T), ets:info(T), kind(attempt(fun() -> ets:lookup(T, a) end))]),
    N = ets:new(named, [named_table]),
    log([named, N, ets:insert(named, {k, v}), ets:lookup(named, k), ets:info(named, name)]),
    log([taken, kind(attempt(fun() -> ets:new(named, [named_table]) end))]),
    ets:delete(named),
    log([free, ets:whereis(named), ets:new(named, [named_table])]),
    Second = ets:new(t, [{keypos, 2}]),
    ets:insert(Second, {v, k}),
    log([keypos, ets:lookup(Second, k), ets:lookup(Second, v)]).

e02_bags_and_orders() ->
    B = ets:new(b, [bag]),
    ets:insert(B, [{k, 1}, {k, 2}, {k, 1}, {j, 1}]),
    log([bag, ets:lookup(B, k), ets:info(B, size)]),
    log([bag_new, ets:insert_new(B, {k, 3}), ets:insert_new(B, {i, 3})]),
    ets:delete_object(B, {k, 1}),
    log([bag_left, ets:lookup(B, k)]),
    D = ets:new(d, [duplicate_bag]),
    ets:insert(D, [{k, 1}, {k, 2}, {k, 1}]),
    log([duplicate_bag, ets:lookup(D, k), ets:info(D, size), ets:lookup_element(D, k, 2)]),
    ets:delete_object(D, {k, 1}),
    log([duplicate_bag_left, ets:lookup(D, k)]),
    log([take, ets:take(D, k), ets:member(D, k)]),
    O = ets:new(o, [ordered_set]),
    ets:insert(O, [{3, c}, {1, a}, {2, b}]),
    log([ordered, ets:tab2list(O), ets:first(O), ets:last(O)]),
    log([walk, ets:next(O, 1), ets:prev(O, 3), ets:next(O, 3) == '$end_of_table', ets:prev(O, 1) == '$end_of_table']),
    log([between, ets:next(O, 0), ets:prev(O, 9)]),
    ets:delete(O, 2),
    log([gap, ets:next(O, 1), ets:next(O, 2)]).

e03_owners_and_heirs() ->
    process_flag(trap_exit, true),
    Main = self(),
    [A, B] = [actor:start(Name) || Name <- [a, b]],
    Tables = [{Access, actor:ask(A, fun() -> T = ets:new(t, [Access]), ets:insert(T, {k, v}), T end)}
              || Access <- [public, protected, private]],
    [log([Access, kind(attempt(fun() -> ets:lookup(T, k) end)), kind(attempt(fun() -> ets:insert(T, {k, w}) end)),
          kind(attempt(fun() -> ets:delete(T) end))]) || {Access, T} <- Tables],
    log([owner, actor:ask(A, fun() -> ets:info(element(2, hd(tl(Tables))), owner) end)]),
    actor:kill(A),
    settle(),
    log([gone, [kind(attempt(fun() -> ets:lookup(T, k) end)) || {_, T} <- tl(Tables)]]),
    Given = actor:ask(B, fun() -> T = ets:new(g, []), ets:insert(T, {k, 1}), ets:give_away(T, Main, hello), T end),
    log([given, [[From, Data] || {'ETS-TRANSFER', T, From, Data} <- flush(), T == Given], ets:info(Given, owner)]),
    log([to_oneself, kind(attempt(fun() -> ets:give_away(Given, self(), x) end))]),
    Heir = actor:ask(B, fun() -> T = ets:new(h, [{heir, Main, legacy}]), ets:insert(T, {k, 1}), T end),
    log([heir, ets:info(Heir, heir)]),
    actor:kill(B),
    settle(),
    log([inherited, [[From, Data] || {'ETS-TRANSFER', T, From, Data} <- flush(), T == Heir], ets:lookup(Heir, k)]),
    log([owner_now, ets:info(Heir, owner), ets:insert(Heir, {k, 2})]),
    Dead = actor:start(dead),
    C = actor:start(c),
    Lost = actor:ask(C, fun() -> ets:new(l, [public, {heir, Dead, x}]) end),
    actor:kill(Dead),
    actor:kill(C),
    settle(),
    log([a_dead_heir, ets:info(Lost)]).

e04_counters_and_elements() ->
    T = ets:new(t, []),
    ets:insert(T, {n, 5, 10}),
    log([add, ets:update_counter(T, n, 3), ets:update_counter(T, n, -4), ets:update_counter(T, n, {3, 7})]),
    log([bound, ets:update_counter(T, n, {2, 10, 9, 0}), ets:update_counter(T, n, {2, -5, -3, 100})]),
    log([within, ets:update_counter(T, n, {2, 1, 1000, 0})]),
    log([several, ets:update_counter(T, n, [{2, 1}, {3, -1}])]),
    log([default, ets:update_counter(T, new, 2, {new, 40}), ets:lookup(T, new)]),
    log([none, kind(attempt(fun() -> ets:update_counter(T, none, 1) end))]),
    ets:insert(T, {text, x}),
    log([no_number, kind(attempt(fun() -> ets:update_counter(T, text, 1) end))]),
    log([no_place, kind(attempt(fun() -> ets:update_counter(T, n, {9, 1}) end))]),
    log([the_key, kind(attempt(fun() -> ets:update_counter(T, n, {1, 1}) end))]),
    log([element, ets:update_element(T, n, {2, y}), ets:update_element(T, n, [{2, z}, {3, w}]), ets:lookup(T, n)]),
    log([no_element, ets:update_element(T, nobody, {2, y}), kind(attempt(fun() -> ets:update_element(T, n, {1, m}) end))]).

e05_matches() ->
    T = ets:new(t, [ordered_set]),
    ets:insert(T, [{1, ann, 30}, {2, bob, 40}, {3, cat, 30}, {4, {bob, x}, 40}, {5, same, same}]),
    log([match, ets:match(T, {'$1', '_', 30}), ets:match(T, {'_', '$2', 40}), ets:match(T, {9, '_', '_'})]),
    log([order_of_variables, ets:match(T, {'$2', '$1', 30})]),
    log([twice, ets:match(T, {'_', '$1', '$1'}), ets:match(T, {'$1', {bob, '$2'}, '_'})]),
    log([match_object, ets:match_object(T, {'_', '_', 30})]),
    log([no_variables, ets:match(T, {'_', '_', 40})]),
    log([select, ets:select(T, [{{'$1', '$2', '$3'}, [{'>', '$1', 2}], ['$2']}])]),
    log([count, ets:select_count(T, [{{'_', '_', 30}, [], [true]}])]),
    log([match_delete, ets:match_delete(T, {'_', '_', 40}), ets:info(T, size)]),
    log([select_delete, ets:select_delete(T, [{{'_', '_', 30}, [], [true]}]), ets:tab2list(T)]).
