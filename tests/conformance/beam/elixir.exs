# What the recorded scenarios of Elixir's behaviours leave open.
defmodule Scenarios do
  import :transcript, except: [run: 2]

  defp traps, do: Process.flag(:trap_exit, true)
  defp worker(id, options \\ %{}, extra \\ %{}), do: :cw.spec(id, options, extra)

  # [id, name or "restarting", type] of each child, sorted as they are shown.
  defp kids(sup), do: Enum.sort(for {id, pid, type, _} <- which(sup), do: [id, shown(pid), type])
  defp which(sup), do: GenServer.call(sup, :which_children)
  defp shown(pid) when is_pid(pid), do: name(pid)
  defp shown(:restarting), do: "restarting"
  defp shown(other), do: other

  defp raised(fun) do
    ["returned", fun.()]
  rescue
    error -> ["raised", error.__struct__ |> Module.split() |> List.last()]
  end

  # A process called `id` that runs the functions that ask/2 brings it and logs other messages.
  defp holder(id) do
    main = self()
    pid = spawn(fn -> send(main, {:ready, bind(self(), id)}) && obey(id) end)
    receive do: ({:ready, ^pid} -> pid)
  end

  defp obey(id) do
    receive do
      {:run, from, fun} -> send(from, {:ran, self(), fun.()})
      :stop -> exit(:normal)
      other -> log([id, :got, other])
    end

    obey(id)
  end

  defp ask(pid, fun) do
    send(pid, {:run, self(), fun})
    receive do
      {:ran, ^pid, value} -> value
    after
      10_000 -> log([:!, :no_answer])
    end
  end

  # Runs a fun in a process of its own and returns the reason of its end.
  defp fate(fun), do: elem(spawn_monitor(fun), 1) |> down()

  defp gave_up(sup) do
    log([:alive, Process.alive?(sup)])
    log([:mailbox, flush()])
  end

  defp dynamic(options \\ []) do
    traps()
    {:ok, sup} = DynamicSupervisor.start_link([strategy: :one_for_one] ++ options)
    bind(sup, :dyn)
  end

  # Ends the children of a dynamic supervisor, one after another.
  defp put_down(sup) do
    for {_, pid, _, _} <- Enum.sort_by(which(sup), &shown(elem(&1, 1))), do: DynamicSupervisor.terminate_child(sup, pid)
  end

  # -- DynamicSupervisor --

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

  # -- Supervisor --

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

  # -- Registry --

  defp registry(keys, options \\ []) do
    {:ok, registry} = Registry.start_link([keys: keys, name: :reg] ++ options)
    bind(registry, :reg)
  end

  def x55_registry_duplicate do
    registry(:duplicate)
    [a, b] = for id <- [:a, :b], do: holder(id)
    entries = fn -> Enum.sort(for {pid, value} <- Registry.lookup(:reg, :k), do: [name(pid), value]) end
    log([:register, for(value <- [1, 2], do: ask(a, fn -> Registry.register(:reg, :k, value) |> elem(0) end))])
    log([:register, ask(b, fn -> Registry.register(:reg, :k, 3) |> elem(0) end)])
    log([:register, ask(b, fn -> Registry.register(:reg, :other, 4) |> elem(0) end)])
    log([:lookup, entries.(), Registry.lookup(:reg, :zz)])
    log([:keys, Registry.keys(:reg, a), Enum.sort(Registry.keys(:reg, b)), Registry.keys(:reg, self())])
    log([:values, Registry.values(:reg, :k, a), Registry.values(:reg, :k, b), Registry.values(:reg, :zz, a)])
    log([:count, Registry.count(:reg)])
    log([:dispatch, Registry.dispatch(:reg, :k, fn found -> log(Enum.sort(for {pid, v} <- found, do: [name(pid), v])) end)])
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

  # -- Task --

  def x58_task_yield do
    traps()
    task = Task.async(fn -> gate(:t) end)
    held = held(:t)
    log([:not_yet, Task.yield(task, 0), Task.yield(task, 20)])
    release(held, :value)
    log([:yield, Task.yield(task, 5000)])
    log([:nothing_left, Task.yield(task, 0), flush() -- [{:EXIT, task.pid, :normal}]])
    crashing = Task.async(fn -> exit(:boom) end)
    bind(crashing.pid, :crashing)
    log([:crash, Task.yield(crashing, 5000)])
    log([:mailbox, flush()])
    quiet = Task.async(fn -> exit(:normal) end)
    log([:exit_normal, Task.yield(quiet, 5000)])
    many = for id <- [:m1, :m2, :m3], do: Task.async(fn -> with {:stop, why} <- gate(id), do: exit(why) end)
    [m1, _, m3] = for id <- [:m1, :m2, :m3], do: held(id)
    release(m3, {:stop, :bad})
    release(m1, :good)
    settle()
    log([:yield_many, for({_, result} <- Task.yield_many(many, 50), do: result)])
    other = Task.async(fn -> :ok end)
    client(:foreign, fn -> raised(fn -> Task.yield(other, 0) end) end)
    log([:foreign, answer(:foreign)])
    log([:own, Task.yield(other, 5000)])
  end

  def x59_task_shutdown do
    traps()
    start = fn fun -> Task.async(fn -> gate(:s) && fun.() end) end

    stubborn = fn ->
      traps()
      log([:task, receive(do: ({:EXIT, _, reason} -> reason))])
    end

    log([:---, :running])
    task = start.(fn -> :never end)
    held(:s)
    log([:shutdown, Task.shutdown(task), Process.alive?(task.pid), flush()])
    log([:again, Task.shutdown(task)])
    log([:---, :finished])
    task = start.(fn -> :value end)
    down(task.pid, fn -> open(:s, true) end)
    log([:shutdown, Task.shutdown(task), length(flush())])
    log([:---, :crashed])
    task = start.(fn -> exit(:boom) end)
    down(task.pid, fn -> open(:s, true) end)
    log([:shutdown, Task.shutdown(task), length(flush())])
    log([:---, :brutal])
    task = start.(stubborn)
    open(:s, true)
    settle()
    log([:shutdown, Task.shutdown(task, :brutal_kill), Process.alive?(task.pid), flush()])
    log([:---, :replies_at_shutdown])
    task = start.(fn -> stubborn.() && :last_words end)
    open(:s, true)
    settle()
    log([:shutdown, Task.shutdown(task), Process.alive?(task.pid)])
    flush()
    log([:---, :exits_otherwise])
    task = start.(fn -> stubborn.() && exit(:odd) end)
    open(:s, true)
    settle()
    log([:shutdown, Task.shutdown(task)])
    flush()
    log([:---, :does_not_stop])
    task = start.(fn -> stubborn.() && gate(:stuck) end)
    open(:s, true)
    settle()
    log([:shutdown, Task.shutdown(task, 50), Process.alive?(task.pid)])
    flush()
    log([:---, :foreign])
    task = start.(fn -> :value end)
    client(:foreign, fn -> raised(fn -> Task.shutdown(task) end) end)
    log([:foreign, answer(:foreign)])
    open(:s, true)
    log([:await, Task.await(task)])
  end

  def x60_async_stream do
    log([:results, Enum.to_list(Task.async_stream([3, 1, 2], &(&1 * 10)))])
    log([:empty, Enum.to_list(Task.async_stream([], &(&1 * 10)))])
    log([:---, :bounded])
    held_item = fn n -> log([n, :begins]) && gate(n) end
    client(:stream, fn -> Enum.to_list(Task.async_stream([1, 2, 3, 4], held_item, max_concurrency: 2)) end)
    [one, two] = [held(1), held(2)]
    settle()
    log([:third_waits, flush()])
    release(two, :b)
    three = held(3)
    release(three, :c)
    four = held(4)
    release(four, :d)
    settle()
    log([:ordered_waits_for_the_first, flush()])
    release(one, :a)
    log([:stream, answer(:stream)])
    log([:---, :unordered])
    unordered = [max_concurrency: 3, ordered: false]
    client(:stream, fn -> Enum.to_list(Task.async_stream([5, 6, 7], held_item, unordered)) end)
    held = for n <- [5, 6, 7], into: %{}, do: {n, held(n)}
    for n <- [7, 5, 6], do: release(held[n], n) && settle()
    log([:stream, answer(:stream)])
    log([:---, :timeouts])
    slow = fn n -> if n == 2, do: Process.sleep(:infinity), else: n end
    log([:kill_task, Enum.to_list(Task.async_stream([1, 2, 3], slow, timeout: 300, on_timeout: :kill_task))])
    log([:exit, attempt(fn -> Enum.to_list(Task.async_stream([1, 2, 3], slow, timeout: 300)) end)])
    log([:mailbox, flush()])
    log([:---, :crashes])
    bad = fn n -> if n == 2, do: exit(:boom), else: n end
    log([:linked, fate(fn -> Enum.to_list(Task.async_stream([1, 2, 3], bad)) end)])

    trapping = fn ->
      traps()
      log([:trapping, Enum.to_list(Task.async_stream([1, 2, 3], bad))])
    end

    log([:fate, fate(trapping)])
    {:ok, sup} = Task.Supervisor.start_link()
    log([:nolink, Enum.to_list(Task.Supervisor.async_stream_nolink(sup, [1, 2, 3], bad))])
    log([:take, Task.async_stream([1, 2, 3], & &1, max_concurrency: 1) |> Enum.take(1)])
    log([:mailbox, flush()])
  end

  def x61_task_supervisor do
    traps()
    {:ok, sup} = Task.Supervisor.start_link(name: :x61)
    bind(sup, :x61)
    owner = holder(:owner)

    ask(owner, fn ->
      Task.Supervisor.start_child(:x61, fn -> bind(self(), :side) && gate(:side) end)
      Task.Supervisor.async_nolink(:x61, fn -> bind(self(), :nolink) && gate(:nolink) end)
      Task.Supervisor.async(:x61, fn -> bind(self(), :linked) && gate(:linked) end)
    end)

    for id <- [:side, :nolink, :linked], do: held(id)
    log([:children, for(pid <- Task.Supervisor.children(:x61), do: name(pid)) |> Enum.sort()])
    log([:owner_down, down(owner, fn -> Process.exit(owner, :boom) end)])
    settle()
    log([:children, for(pid <- Task.Supervisor.children(:x61), do: name(pid)) |> Enum.sort()])
    log([:terminate_child, Task.Supervisor.terminate_child(:x61, named(:side))])
    log([:terminate_child, Task.Supervisor.terminate_child(:x61, self())])
    log([:children, for(pid <- Task.Supervisor.children(:x61), do: name(pid))])
    log([:nolink_down, down(named(:nolink), fn -> release(named(:nolink), :late_value) end)])
    callers = Task.Supervisor.async(:x61, fn -> {Process.get(:"$callers"), hd(Process.get(:"$ancestors"))} end)
    log([:callers, Task.await(callers)])
    started = self()
    Task.Supervisor.start_child(:x61, fn -> send(started, {:callers, Process.get(:"$callers")}) end)
    receive do: ({:callers, callers} -> log([:callers_of_start_child, callers]))
    settle()
    log([:crash_leaves_supervisor, fate(fn -> Task.Supervisor.async(:x61, fn -> exit(:bad) end) |> Task.await() end) != :normal])
    log([:alive, Process.alive?(sup), Task.Supervisor.children(:x61)])

    for {id, restart} <- [x61_transient: :transient, x61_permanent: :permanent] do
      {:ok, _} = Task.Supervisor.start_child(:x61, fn -> if gate(id) == :boom, do: exit(:boom) end, restart: restart)
      for what <- [:boom, :return], do: open(id, what)
      settle()
      log([restart, :restarted_after_return, length(for {:at_gate, ^id, _} = m <- flush(), do: m) == 1])
    end

    flush()
    log([:stop, Supervisor.stop(:x61), Process.whereis(:x61)])
  end

  def x62_await_many do
    traps()
    tasks = for id <- [:a, :b], do: Task.async(fn -> gate(id) end)
    [a, b] = [held(:a), held(:b)]
    release(b, 2)
    release(a, 1)
    log([:in_order, Task.await_many(tasks)])
    flush()
    log([:none, Task.await_many([])])
    tasks = for id <- [:c, :d], do: Task.async(fn -> gate(id) end)
    [c, d] = [held(:c), held(:d)]
    release(d, :finished)
    log([:timeout, attempt(fn -> Task.await_many(tasks, 50) end)])
    log([:others_run_on, Process.alive?(c)])
    release(c, :late)
    settle()
    log([:no_late_reply, for({:EXIT, _, reason} <- flush(), do: reason)])
    tasks = for id <- [:e, :f], do: Task.async(fn -> exit(gate(id)) end)
    [e, _] = [held(:e), held(:f)]
    release(e, :boom)
    log([:crash, attempt(fn -> Task.await_many(tasks) end)])
    log([:await_twice, fate(fn -> twice() end)])
  end

  # A reply is taken out of the mailbox once: whoever awaits again waits in vain.
  defp twice do
    task = Task.async(fn -> 1 end)
    log([:once, Task.await(task)])
    log([:twice, attempt(fn -> Task.await(task, 50) end)])
  end

  # -- Agent --

  def x63_agent_failures do
    traps()
    start = fn -> bind(elem(Agent.start_link(fn -> 1 end), 1), :agent) end
    for what <- [:get, :update, :get_and_update] do
      agent = start.()
      log([what, attempt(fn -> apply(Agent, what, [agent, fn _ -> raise "oops" end]) end)])
      log([:mailbox, flush()])
    end

    agent = start.()
    log([:cast, Agent.cast(agent, fn _ -> exit(:boom) end)])
    settle()
    log([:mailbox, flush(), Process.alive?(agent)])
    log([:cast_dead, Agent.cast(agent, & &1)])
    log([:start_link_exit, Agent.start_link(fn -> exit(:boom) end)])
    {:ok, alone} = Agent.start(fn -> 5 end)
    bind(alone, :alone)
    log([:start_unlinked, Agent.get(alone, & &1), down(alone, fn -> Process.exit(alone, :boom) end)])
    log([:get_and_update, (fn -> agent = start.(); {Agent.get_and_update(agent, &{&1, &1 + 1}), Agent.get(agent, & &1)} end).()])
    agent = start.()
    log([:stop, Agent.stop(agent, :boom)])
    flush()
    {:ok, sup} = Supervisor.start_link([%{id: :a, start: {Agent, :start_link, [fn -> [] end, [name: :x63]]}}], strategy: :one_for_one)
    log([:update, Agent.update(:x63, &[:item | &1]), Agent.get(:x63, & &1)])
    log([:crash, attempt(fn -> Agent.update(:x63, fn _ -> exit(:boom) end) end)])
    settle()
    log([:state_after_restart, Agent.get(:x63, & &1)])
    log([:order, Agent.cast(:x63, &[1 | &1]), Agent.cast(:x63, &[2 | &1]), Agent.get(:x63, & &1)])
    log([:exception, attempt(fn -> Agent.get(:x63, fn _ -> throw(:ball) end) end) |> hd()])
    log([:stop, Supervisor.stop(sup)])
  end

  # -- PartitionSupervisor --

  def x64_partition_supervisor do
    traps()
    named = fn [options], n -> [String.to_atom("part#{n}"), options] end
    options = [child_spec: %{id: :part, start: {:cw, :start_link, [%{}]}}, partitions: 3, name: :x64, with_arguments: named]
    {:ok, sup} = PartitionSupervisor.start_link(options)
    bind(sup, :x64)
    via = fn key -> {:via, PartitionSupervisor, {:x64, key}} end
    log([:partitions, PartitionSupervisor.partitions(:x64), PartitionSupervisor.count_children(:x64)])
    log([:children, for({id, pid, type, _} <- Enum.sort(PartitionSupervisor.which_children(:x64)), do: [id, pid, type])])
    log([:by_integer, for(key <- [0, 1, 2, 3, 7, -4], do: GenServer.whereis(via.(key)))])
    log([:by_term_is_stable, GenServer.whereis(via.("user")) == GenServer.whereis(via.("user"))])
    log([:cast, GenServer.cast(via.(4), {:stop, :boom})])
    settle()
    log([:children, for({id, pid, type, _} <- Enum.sort(PartitionSupervisor.which_children(:x64)), do: [id, pid, type])])
    log([:same_partition, GenServer.whereis(via.(4))])
    log([:conflict, PartitionSupervisor.start_link(options) |> elem(1)])
    log([:no_partitions, raised(fn -> PartitionSupervisor.start_link(Keyword.put(options, :partitions, 0)) end)])
    log([:stop, PartitionSupervisor.stop(:x64), Process.whereis(:x64)])
  end

  # -- More of the same --

  def x65_task_under_supervisors do
    traps()
    main = self()
    work = fn -> send(main, {:ran, bind(self(), :task)}) && with({:stop, why} <- gate(:task), do: exit(why)) end
    {:ok, sup} = Supervisor.start_link([{Task, work}, worker(:w)], strategy: :one_for_all)
    receive do: ({:ran, pid} -> log([:child_pid, pid, for({Task, ^pid, type, _} <- which(sup), do: type)]))
    open(:task, {:stop, :boom})
    settle()
    log([:temporary, for({id, pid, _, _} <- which(sup), do: [id, shown(pid)])])
    log([:stop, Supervisor.stop(sup)])
    transient = Supervisor.child_spec({Task, work}, id: :again, restart: :transient)
    {:ok, other} = Supervisor.start_link([transient], strategy: :one_for_one)
    open(:task, {:stop, :boom})
    open(:task, :finished)
    settle()
    log([:transient, for({id, pid, _, _} <- which(other), do: [id, pid])])
    log([:stop, Supervisor.stop(other)])
    flush()
    {:ok, alone} = Task.start(fn -> exit(gate(:alone)) end)
    log([:not_linked, down(alone, fn -> open(:alone, :boom) end), flush()])
    {:ok, linked} = Task.start_link(fn -> exit(gate(:linked)) end)
    log([:linked, down(linked, fn -> open(:linked, :boom) end), for({:EXIT, _, reason} <- flush(), do: reason)])
    task = Task.async(fn -> gate(:ignored) end)
    ignored = held(:ignored)
    log([:ignore_running, Task.ignore(task)])
    log([:runs_on, down(ignored, fn -> release(ignored, :value) end), flush()])
    done = Task.async(fn -> :value end)
    settle()
    log([:ignore_finished, Task.ignore(done)])
    crashed = Task.async(fn -> exit(:boom) end)
    settle()
    log([:ignore_crashed, Task.ignore(crashed), flush() |> length()])
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
end
