# What the recorded scenarios leave open: registries.
defmodule Scenarios.Registries do
  use Vocabulary

  defp registry(keys, options \\ []) do
    {:ok, registry} = Registry.start_link([keys: keys, name: :reg] ++ options)
    bind(registry, :reg)
  end

  def x55_registry_duplicate do
    registry(:duplicate)
    [a, b] = for id <- [:a, :b], do: holder(id)
    shown_entries = fn entries -> Enum.sort(for {pid, value} <- entries, do: [name(pid), value]) end
    entries = fn -> shown_entries.(Registry.lookup(:reg, :k)) end
    log([:register, for(value <- [1, 2], do: ask(a, fn -> Registry.register(:reg, :k, value) |> elem(0) end))])
    log([:register, ask(b, fn -> Registry.register(:reg, :k, 3) |> elem(0) end)])
    log([:register, ask(b, fn -> Registry.register(:reg, :other, 4) |> elem(0) end)])
    log([:lookup, entries.(), Registry.lookup(:reg, :zz)])
    log([:keys, Registry.keys(:reg, a), Enum.sort(Registry.keys(:reg, b)), Registry.keys(:reg, self())])
    log([:values, Registry.values(:reg, :k, a), Registry.values(:reg, :k, b), Registry.values(:reg, :zz, a)])
    log([:count, Registry.count(:reg)])
    log([:dispatch, Registry.dispatch(:reg, :k, &log(shown_entries.(&1)))])
    log([:dispatch_nobody, Registry.dispatch(:reg, :zz, fn _ -> log(:never) end)])
    log([:dispatch_raises, raised(fn -> Registry.dispatch(:reg, :k, fn _ -> raise "oops" end) end)])
    log([:update_value, raised(fn -> Registry.update_value(:reg, :k, & &1) end)])
    log([:unregister_own, ask(a, fn -> Registry.unregister(:reg, :k) end), entries.(), Registry.count(:reg)])
    log([:unregister_none, ask(a, fn -> Registry.unregister(:reg, :k) end)])
    log([:down, down(b, fn -> Process.exit(b, :kill) end)])
    settle()
    log([:cleaned, Registry.lookup(:reg, :k), Registry.count(:reg), Registry.keys(:reg, b)])
  end

  def x56_registry_listeners do
    listener = holder(:listener)
    Process.register(listener, :ear)
    registry(:unique, listeners: [:ear])
    [a, b] = for id <- [:a, :b], do: holder(id)
    heard = fn -> ask(listener, fn -> :ok end) end
    ask(a, fn -> Registry.register(:reg, :k, 1) end)
    heard.()
    log([:taken, ask(b, fn -> Registry.register(:reg, :k, 2) end)])
    heard.()
    ask(a, fn -> Registry.update_value(:reg, :k, &(&1 + 1)) end)
    log([:updated, Registry.lookup(:reg, :k)])
    ask(b, fn -> Registry.unregister(:reg, :k) end)
    ask(a, fn -> Registry.unregister(:reg, :k) end)
    heard.()
    ask(b, fn -> Registry.register(:reg, :k, 3) end)
    heard.()
    down(b, fn -> Process.exit(b, :boom) end)
    settle()
    heard.()
    log([:cleaned, Registry.lookup(:reg, :k)])
  end

  def x68_what_a_failed_start_and_a_match_give_back do
    traps()
    Process.register(self(), :ear)
    heard = fn -> for m <- :transcript.flush(), elem(m, 0) != :EXIT, do: [elem(m, 0), elem(m, 2)] end
    registry(:unique, listeners: [:ear])
    options = %{name: {:via, Registry, {:reg, :w}}, init: [:ignore, {:stop, :boom}, {:error, :oops}]}

    for _ <- 1..4 do
      log([:start, :cw.start_link(:w, options), :count, Registry.count(:reg), heard.()])
    end

    a = holder(:a)
    ask(a, fn -> Registry.register(:reg, :k, 1) |> elem(0) end)
    log([:registered, heard.()])

    for value <- [2, 1, 1] do
      ask(a, fn -> Registry.unregister_match(:reg, :k, value) end)
      log([:matched, value, Registry.keys(:reg, a), heard.()])
    end

    {:ok, _} = Registry.start_link(keys: :duplicate, name: :topics, listeners: [:ear])
    log([:no_name, raised(fn -> Agent.start_link(fn -> 0 end, name: {:via, Registry, {:topics, :k}}) end)])
    for value <- [1, 2], do: ask(a, fn -> Registry.register(:topics, :k, value) |> elem(0) end)

    for value <- [3, 1, 2] do
      ask(a, fn -> Registry.unregister_match(:topics, :k, value) end)
      log([:matched, value, Registry.values(:topics, :k, a), heard.()])
    end
  end

  def x57_registry_via do
    traps()
    registry(:unique)
    via = {:via, Registry, {:reg, "w"}}
    valued = {:via, Registry, {:reg, "v", :with_value}}
    {:ok, sup} = Supervisor.start_link([worker(:w, %{name: via}), worker(:v, %{name: valued})], strategy: :one_for_one)
    log([:whereis, GenServer.whereis(via), GenServer.whereis(valued)])
    log([:lookup, Registry.lookup(:reg, "w"), Registry.lookup(:reg, "v")])
    first = GenServer.whereis(via)
    log([:down, down(first, fn -> Process.exit(first, :kill) end)])
    settle()
    log([:restarted, GenServer.whereis(via), Registry.keys(:reg, first)])
    log([:cast, GenServer.cast(via, {:stop, :boom})])
    settle()
    log([:restarted, GenServer.whereis(via)])
    log([:conflict, :cw.start_link(:w, %{name: via})])
    log([:terminate, Supervisor.terminate_child(sup, :w), GenServer.whereis(via)])
    log([:call, attempt(fn -> GenServer.call(via, :x) end)])
    log([:cast, GenServer.cast(via, :x)])
    log([:stop, attempt(fn -> GenServer.stop(via) end)])
    {:ok, taken} = Agent.start_link(fn -> :mine end, name: via)
    bind(taken, :agent)
    log([:restart, Supervisor.restart_child(sup, :w)])
    log([:stop, Agent.stop(via), GenServer.whereis(via)])
    {:ok, again} = Supervisor.restart_child(sup, :w)
    log([:restart, again, GenServer.whereis(via)])
    log([:main_registers, Registry.register(:reg, "mine", 0) |> elem(0), Registry.whereis_name({:reg, "mine"})])
    flush()
    send(:reg |> Process.whereis(), :noise)
    log([:stop, Supervisor.stop(sup)])
  end

  def x71_registry_that_stops do
    for reason <- [:normal, :shutdown, :boom] do
      registry(:unique)
      Process.unlink(Process.whereis(:reg))
      [a, b] = for id <- [:a, :b], do: holder(id)
      ask(b, fn -> traps() end)
      for {pid, key} <- [{a, 1}, {b, 2}], do: ask(pid, fn -> Registry.register(:reg, key, nil) end)
      why = down(a, fn -> Supervisor.stop(:reg, reason) end)
      settle()
      log([reason, why])
    end

    log([:spec, Registry.child_spec(keys: :unique, name: :reg).type])
  end

  def x66_registry_match_and_meta do
    registry(:duplicate)
    [a, b] = for id <- [:a, :b], do: holder(id)

    for {pid, value} <- [{a, {:x, 1}}, {a, {:y, 2}}, {b, {:x, 3}}, {b, :plain}] do
      ask(pid, fn -> Registry.register(:reg, :k, value) |> elem(0) end)
    end

    found = fn pattern -> Enum.sort(for {pid, value} <- Registry.match(:reg, :k, pattern), do: [name(pid), value]) end
    log([:match, found.({:x, :_}), found.(:plain), found.({:z, :_})])
    log([:count_match, Registry.count_match(:reg, :k, {:x, :_}), Registry.count_match(:reg, :zz, :_)])
    log([:unregister_match, ask(a, fn -> Registry.unregister_match(:reg, :k, {:x, :_}) end), found.(:_) |> length()])
    log([:others_stay, found.({:x, :_})])
    log([:keys, Registry.keys(:reg, a), Registry.count(:reg)])
    meta = fn -> with(:error <- Registry.meta(:reg, :colour), do: nil) end
    log([:meta, meta.(), Registry.put_meta(:reg, :colour, :blue), meta.()])
    log([:no_registry, raised(fn -> Registry.lookup(:nowhere, :k) end) |> hd()])
    reg = Process.whereis(:reg)
    traps()
    log([:registry_dies_with_its_processes, down(a, fn -> Supervisor.stop(:reg, :shutdown) end), Process.alive?(b)])
    log([:gone, Process.whereis(:reg), Process.alive?(reg)])
  end

  def x77_registry_select do
    registry(:unique)
    holders = for {id, value} <- [a: 1, b: 2, c: "text", d: 4], do: {id, holder(id), value}
    for {id, pid, value} <- holders, do: ask(pid, fn -> Registry.register(:reg, id, value) end)
    shown_rows = fn rows -> Enum.sort(for {key, pid, value} <- rows, do: [key, name(pid), value]) end
    select = fn pattern, guards -> shown_rows.(Registry.select(:reg, [{pattern, guards, [:"$_"]}])) end
    count = fn pattern, guards -> Registry.count_select(:reg, [{pattern, guards, [true]}]) end
    all = {:"$1", :"$2", :"$3"}
    log([:all, shown_rows.(Registry.select(:reg, [{all, [], [{{:"$1", :"$2", :"$3"}}]}])), count.(all, [])])
    pick = fn guards -> shown_rows.(Registry.select(:reg, [{all, guards, [{{:"$1", :"$2", :"$3"}}]}])) end
    log([:guard, pick.([{:andalso, {:is_integer, :"$3"}, {:>, :"$3", 1}}])])
    log([:count, count.(all, [{:is_integer, :"$3"}])])
    log([:guard_that_fails, pick.([{:>, {:+, :"$3", 1}, 2}])])
    log([:one_key, count.({:a, :_, :_}, []), count.({:zz, :_, :_}, []), count.({:_, :_, "text"}, [])])
    [{_, a, _} | _] = holders
    log([:of_a_process, count.({:_, a, :_}, [])])
    log([:wrong, raised(fn -> select.(:wrong, []) end) |> hd()])
    down(a, fn -> Process.exit(a, :kill) end)
    settle()
    log([:without_the_dead, pick.([])])
    log([:no_registry, raised(fn -> Registry.select(:nowhere, [{all, [], [:"$1"]}]) end) |> hd()])
  end

  def x78_registry_meta_and_dispatch do
    registry(:duplicate, meta: [colour: "blue", size: 3])
    meta = fn key -> Registry.meta(:reg, key) end
    log([:at_start, meta.(:colour), meta.(:size), meta.(:zz)])
    log([:put, Registry.put_meta(:reg, :colour, "red"), meta.(:colour)])
    log([:delete, Registry.delete_meta(:reg, :colour), meta.(:colour), meta.(:size)])
    log([:delete_again, Registry.delete_meta(:reg, :colour)])
    log([:no_registry, raised(fn -> Registry.delete_meta(:nowhere, :colour) end) |> hd()])
    holders = for id <- [:a, :b], do: holder(id)
    for {pid, value} <- Enum.zip(holders, [1, 2]), do: ask(pid, fn -> Registry.register(:reg, :k, value) end)
    names = fn entries -> Enum.sort(for {pid, value} <- entries, do: [name(pid), value]) end
    log([:dispatch, Registry.dispatch(:reg, :k, &log(names.(&1)), parallel: true)])
    log([:dispatch_nobody, Registry.dispatch(:reg, :zz, fn _ -> log(:never) end, parallel: true)])
    for entry <- Registry.lookup(:reg, :k), do: send(elem(entry, 0), {:news, elem(entry, 1)})
    settle()
    [a, b] = holders
    log([:values, Registry.values(:reg, :k, a), Registry.values(:reg, :k, b), Registry.values(:reg, :k, self())])
    log([:keys, Registry.keys(:reg, a), Registry.keys(:reg, self())])
  end
end
