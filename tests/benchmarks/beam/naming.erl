-module(naming).
-export([where/1, lookup/1]).

-define(NAMES, 10000).

waiting() ->
    [spawn(fun() -> receive stop -> ok end end) || _ <- lists:seq(1, ?NAMES)].

where(Size) ->
    Names = [list_to_atom("server-" ++ integer_to_list(N)) || N <- lists:seq(1, ?NAMES)],
    lists:zipwith(fun register/2, Names, waiting()),
    bench:rate_of(fun(Count) -> each(fun whereis/1, Names, Names, Count) end, Size * 5).

lookup(Size) ->
    Table = ets:new(rooms, [set, public, {read_concurrency, true}]),
    Keys = lists:seq(1, ?NAMES),
    ets:insert(Table, lists:zipwith(fun(Key, Pid) -> {Key, {Pid, nil}} end, Keys, waiting())),
    bench:rate_of(fun(Count) -> each(fun(Key) -> living(Table, Key) end, Keys, Keys, Count) end, Size * 3).

living(Table, Key) ->
    [Entry || {_, {Pid, _} = Entry} <- ets:lookup(Table, Key), is_process_alive(Pid)].

each(_, _, _, 0) -> ok;
each(Work, [], All, Left) -> each(Work, All, All, Left);
each(Work, [Item | Rest], All, Left) ->
    Work(Item),
    each(Work, Rest, All, Left - 1).
