# What the recorded scenarios leave open: supervisors as Elixir has them: dynamic, partitioned, with Elixir's defaults.
defmodule Scenarios.DynamicSupervisors do
  use Vocabulary

  def x50_dynamic_supervisor_restart_types do
    sup = dynamic()

    for restart <- [:permanent, :transient, :temporary], reason <- [:normal, {:shutdown, :x}] do
      {:ok, pid} = DynamicSupervisor.start_child(sup, worker(restart, %{}, %{restart: restart, id: 1}))
      down = down(pid, fn -> :cw.stop(pid, reason) end)
      settle()
      log([restart, reason, down])
      log([:kids, kids(sup), DynamicSupervisor.count_children(sup)])

      put_down(sup)
    end

    log([:---, :gives_up])
    {:ok, _} = DynamicSupervisor.start_child(sup, worker(:other, %{}, %{restart: :temporary}))
    {:ok, _} = DynamicSupervisor.start_child(sup, worker(:k, %{}, %{restart: :transient}))

    for reason <- [:boom, :boom] do
      for {_, pid, _, _} <- which(sup), String.starts_with?(shown(pid), "k#"), do: :cw.stop(pid, reason)
      settle()
      gave_up(sup)
    end
  end

  def x51_dynamic_supervisor_between_attempts do
    sup = dynamic(max_restarts: 10, max_children: 2)
    {:ok, pid} = DynamicSupervisor.start_child(sup, worker(:k, %{init: [:ok], then: :gate}))
    {:ok, _} = DynamicSupervisor.start_child(sup, worker(:other))
    :cw.stop(pid, :boom)
    second = held("k#2")
    client(:kids, fn -> kids(sup) end)
    client(:counts, fn -> DynamicSupervisor.count_children(sup) end)
    client(:start, fn -> DynamicSupervisor.start_child(sup, worker(:full)) end)
    log([:no_answers_yet, flush()])
    release(second, {:stop, :nope})
    for tag <- [:kids, :counts, :start], do: log([tag, answer(tag)])
    third = held("k#3")
    client(:terminate, fn -> DynamicSupervisor.terminate_child(sup, pid) end)
    release(third, {:error, :nope})
    log([:terminate_by_its_last_pid, answer(:terminate)])
    settle()
    log([:kids, kids(sup), DynamicSupervisor.count_children(sup)])
    {:ok, _} = DynamicSupervisor.start_child(sup, worker(:now_there_is_room))
    log([:kids, kids(sup)])
    log([:counts, DynamicSupervisor.count_children(sup)])
    put_down(sup)
  end

  def x52_dynamic_supervisor_start_child_waits_for_init do
    sup = dynamic()
    client(:slow, fn -> DynamicSupervisor.start_child(sup, worker(:slow, %{then: :gate})) end)
    slow = held("slow#1")
    client(:next, fn -> DynamicSupervisor.start_child(sup, worker(:next)) end)
    client(:kids, fn -> kids(sup) end)
    log([:no_answers_yet, flush()])
    release(slow, :ok)
    for tag <- [:slow, :next, :kids], do: log([tag, answer(tag)])
    client(:failing, fn -> DynamicSupervisor.start_child(sup, worker(:failing, %{then: :gate})) end)
    open("failing#1", {:exit, :gone})
    log([:failing, answer(:failing)])
    log([:kids, kids(sup)])
    log([:name_taken, DynamicSupervisor.start_link(strategy: :one_for_one, name: :x52) |> elem(0)])
    log([:name_taken, DynamicSupervisor.start_link(strategy: :one_for_one, name: :x52) |> elem(0)])
    {:ok, pid} = DynamicSupervisor.start_child(:x52, worker(:by_name))
    log([:by_name, pid, kids(:x52)])
    log([:stop, DynamicSupervisor.stop(:x52), Process.whereis(:x52)])
    put_down(sup)
  end

  def x53_dynamic_supervisor_of_supervisors do
    top = dynamic(max_restarts: 1)
    inner = :csup.spec(:inner, %{intensity: 0}, [worker(:w1), worker(:w2)])
    {:ok, pid} = DynamicSupervisor.start_child(top, inner)
    log([:kids, kids(top), DynamicSupervisor.count_children(top)])
    :csup.crash(pid, :w1, :boom)
    log([:kids, kids(top)])
    [{_, again, _, _}] = which(top)
    log([:terminate_child, DynamicSupervisor.terminate_child(top, again)])
    log([:kids, kids(top)])
    {:ok, last} = DynamicSupervisor.start_child(top, Map.put(inner, :restart, :temporary))
    :csup.crash(last, :w2, :boom)
    log([:kids, kids(top), DynamicSupervisor.count_children(top)])
  end

  def x54_supervisor_defaults do
    traps()
    {:ok, sup} = Supervisor.start_link([worker(:a), worker(:b)], strategy: :one_for_one)
    bind(sup, :sup)

    for n <- 1..4 do
      log([:---, n])
      :csup.crash(sup, :a, :boom)
    end

    gave_up(sup)
    {:ok, empty} = Supervisor.start_link([], strategy: :one_for_all)
    bind(empty, :empty)
    log([:counts, Supervisor.count_children(empty)])
    log([:stop, Supervisor.stop(empty), flush()])
    {:ok, other} = Supervisor.start_link([worker(:c)], strategy: :one_for_one)
    bind(other, :other)
    log([:stop, Supervisor.stop(other, :boom), flush()])
    log([:stop_dead, attempt(fn -> Supervisor.stop(other) end)])
  end

  def x64_partition_supervisor do
    traps()
    named = fn [options], n -> [String.to_atom("part#{n}"), options] end
    child = %{id: :part, start: {:cw, :start_link, [%{}]}}
    options = [child_spec: child, partitions: 3, name: :x64, with_arguments: named]
    {:ok, sup} = PartitionSupervisor.start_link(options)
    bind(sup, :x64)
    via = fn key -> {:via, PartitionSupervisor, {:x64, key}} end
    children = fn -> for {id, pid, type, _} <- Enum.sort(which(:x64)), do: [id, pid, type] end
    log([:partitions, PartitionSupervisor.partitions(:x64), PartitionSupervisor.count_children(:x64)])
    log([:children, children.()])
    log([:by_integer, for(key <- [0, 1, 2, 3, 7, -4], do: GenServer.whereis(via.(key)))])
    log([:by_term_is_stable, GenServer.whereis(via.("user")) == GenServer.whereis(via.("user"))])
    log([:cast, GenServer.cast(via.(4), {:stop, :boom})])
    settle()
    log([:children, children.()])
    log([:same_partition, GenServer.whereis(via.(4))])
    log([:conflict, PartitionSupervisor.start_link(options) |> elem(1)])
    log([:no_partitions, raised(fn -> PartitionSupervisor.start_link(Keyword.put(options, :partitions, 0)) end)])
    log([:stop, PartitionSupervisor.stop(:x64), Process.whereis(:x64)])
  end

  def x67_dynamic_supervisor_restarts_with_same_arguments do
    sup = dynamic(extra_arguments: [:extra], max_restarts: 5)
    spec = %{id: :w, start: {:cw, :start_link, [%{init: [:ok, {:stop, :nope}, :ignore]}]}, restart: :permanent}
    {:ok, pid} = DynamicSupervisor.start_child(sup, spec)
    log([:kids, kids(sup)])
    :cw.stop(pid, :boom)
    settle()
    log([:ignored_at_restart, kids(sup), DynamicSupervisor.count_children(sup)])
    {:ok, next} = DynamicSupervisor.start_child(sup, spec)
    log([:restart_child, down(next, fn -> Process.exit(next, :kill) end)])
    settle()
    log([:kids, kids(sup)])
    unlinked = bind(spawn(fn -> Process.link(sup) && gate(:stranger) end), :stranger)
    held(:stranger)
    log([:stranger, down(unlinked, fn -> Process.exit(unlinked, :boom) end), Process.alive?(sup)])
    put_down(sup)
  end

  # The ids of a via name are [registry, key] here, and ["via", registry, key] there: both are shown by the key.
  def x73_supervisors_with_via_names do
    traps()
    {:ok, _} = Registry.start_link(keys: :unique, name: :x73)
    via = fn key -> {:via, Registry, {:x73, key}} end

    children =
      for kind <- [DynamicSupervisor, Task.Supervisor, PartitionSupervisor], n <- [1, 2] do
        key = "#{kind |> Module.split() |> Enum.join("")}#{n}"
        copies = if kind == PartitionSupervisor, do: [child_spec: worker(:w, %{quiet: true}), partitions: 1], else: []
        {kind, [name: via.(key)] ++ copies}
      end

    {:ok, sup} = Supervisor.start_link(children, strategy: :one_for_one)
    keys = fn -> for {{:x73, key}, _, type, _} <- Enum.reverse(which(sup)), do: [key, type] end
    log([:ids, keys.()])
    log([:terminate_child, Supervisor.terminate_child(sup, {:x73, "DynamicSupervisor1"})])
    log([:by_name, GenServer.whereis(via.("DynamicSupervisor1")), GenServer.whereis(via.("DynamicSupervisor2")) != nil])
    {:error, {:already_started, _}} = Supervisor.start_child(sup, {DynamicSupervisor, name: via.("DynamicSupervisor2")})
    log([:restart_child, elem(Supervisor.restart_child(sup, {:x73, "DynamicSupervisor1"}), 0)])
    log([:ids, keys.()])
  end

  defmodule Versioned do
    use DynamicSupervisor
    def init(_), do: :persistent_term.get(__MODULE__)
  end

  def x76_change_code_of_a_dynamic_supervisor do
    traps()
    flags = fn options -> DynamicSupervisor.init([strategy: :one_for_one] ++ options) end
    :persistent_term.put(Versioned, flags.(max_children: 2, max_restarts: 1))
    {:ok, sup} = DynamicSupervisor.start_link(Versioned, [])
    bind(sup, :dyn)

    change = fn version ->
      :persistent_term.put(Versioned, version)
      :sys.suspend(sup)
      result = :sys.change_code(sup, Versioned, 1, :extra)
      :sys.resume(sup)
      result
    end

    start = fn id -> DynamicSupervisor.start_child(sup, worker(id)) |> Tuple.to_list() |> hd() end
    log([:started, start.(:a), start.(:b), start.(:c)])
    log([:changed, change.(flags.(max_children: 3, max_restarts: 5)), start.(:c), start.(:d)])
    log([:ignored, change.(:ignore)])
    log([:wrong, change.(:wrong)])
    {:ok, good} = flags.([])
    log([:invalid_strategy, change.({:ok, %{good | strategy: :none}})])
    log([:invalid_max_children, change.({:ok, %{good | max_children: -1}})])

    for _ <- 1..3 do
      a = Enum.find_value(which(sup), fn {_, pid, _, _} -> String.starts_with?(to_string(name(pid)), "a") && pid end)
      :cw.stop(a, :boom)
      settle()
    end

    log([:fewer, change.(flags.(max_children: 1)), start.(:e)])
    log([:kids, kids(sup)])
    put_down(sup)
  end
end
