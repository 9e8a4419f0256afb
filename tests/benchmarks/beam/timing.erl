-module(timing).
-export([one_by_one/1, million/1]).

-define(MILLISECONDS, 3600000).

one_by_one(Size) ->
    bench:rate_of(fun set_and_cancel/1, Size * 5).

set_and_cancel(0) -> ok;
set_and_cancel(Left) ->
    erlang:cancel_timer(erlang:send_after(?MILLISECONDS, self(), never)),
    set_and_cancel(Left - 1).

million(Size) ->
    bench:rate_of(
        fun(Count) ->
            Timers = [erlang:send_after(?MILLISECONDS, self(), never) || _ <- lists:seq(1, Count)],
            [erlang:cancel_timer(Timer) || Timer <- Timers]
        end,
        Size,
        Size
    ).
