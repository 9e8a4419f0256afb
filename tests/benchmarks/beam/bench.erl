%% Runs one function of one topic and prints its sample as JSON, the way tests/benchmarks/harness/fresh.py does.
%% CPU time is that of the whole BEAM.
-module(bench).
-export([main/1, rate_of/2, rate_of/3, exact/1, resident/0]).

main([Module, Function, Size]) ->
    logger:set_primary_config(level, none),
    {Wall, Cpu} = (list_to_atom(Module)):(list_to_atom(Function))(list_to_integer(Size)),
    io:format("{\"wall\": ~w, \"cpu\": ~w}~n", [float(Wall), float(Cpu)]),
    halt(0).

%% Let Work do Count things, after a tenth of them to warm up; gives how many it did in a second.
rate_of(Work, Count) ->
    Work(max(1, Count div 10)),
    rate_of(Work, Count, Count).

%% Call Work(Argument), in which Count things are done; gives how many it did in a second.
rate_of(Work, Argument, Count) ->
    erlang:garbage_collect(),
    {Cpu0, _} = erlang:statistics(runtime),
    Wall0 = erlang:monotonic_time(nanosecond),
    Work(Argument),
    Wall1 = erlang:monotonic_time(nanosecond),
    {Cpu1, _} = erlang:statistics(runtime),
    {Count * 1.0e9 / max(1, Wall1 - Wall0), Count * 1.0e3 / max(1, Cpu1 - Cpu0)}.

exact(Figure) ->
    {Figure, Figure}.

%% The resident memory of the BEAM, in bytes (Linux alone tells it here).
resident() ->
    [erlang:garbage_collect(Pid) || Pid <- [self(), whereis(code_server)]],
    {ok, Text} = file:read_file("/proc/self/statm"),
    [_, Pages | _] = binary:split(Text, <<" ">>, [global]),
    binary_to_integer(Pages) * 4096.
