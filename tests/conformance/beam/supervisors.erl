-module(supervisors).
-export([u50_one_for_one_crashes/0]).
-import(transcript, [log/1]).

u50_one_for_one_crashes() ->
    {ok, Sup} = csup:start_link(sup, #{intensity => 5}, [cw:spec(Id) || Id <- [c1, c2, c3, c4]]),
    [begin log(['---', crash, Id]), csup:crash(Sup, Id, boom), log([kids, csup:kids(Sup)]) end || Id <- [c2, c4]],
    csup:stop(Sup).
