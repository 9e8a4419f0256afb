# What the recorded scenarios leave open: tasks.
defmodule Scenarios.Tasks do
  use Vocabulary

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

  def x72_async_stream_of_a_slow_consumer do
    started = fn n -> log([:started, n]) && n end

    for {:ok, n} <- Task.async_stream([1, 2, 3], started, max_concurrency: 1) do
      log([:got, n])
      settle()
      log([:asks_for_more])
    end

    slow = fn ms -> Process.sleep(ms) && log([:slept, ms]) && ms end
    slowly = fn outcome -> log([:outcome, outcome]) && Process.sleep(500) end
    limits = [max_concurrency: 2, timeout: 150, on_timeout: :kill_task]
    for outcome <- Task.async_stream([10, 300, 11, 301], slow, limits), do: slowly.(outcome)
    log([:---, :exit])

    for ordered <- [true, false] do
      limits = [max_concurrency: 3, timeout: 150, ordered: ordered]
      log([:exit, attempt(fn -> for o <- Task.async_stream([10, 40, 300, 11], slow, limits), do: slowly.(o) end)])
    end
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
    crash = fn -> Task.Supervisor.async(:x61, fn -> exit(:bad) end) |> Task.await() end
    log([:crash_leaves_supervisor, fate(crash) != :normal])
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

  def x74_completed_tasks do
    log([:await, Task.await(Task.completed(42))])
    log([:yield, Task.yield(Task.completed(1)), Task.yield(Task.async(fn -> exit(gate(:never)) end), 10)])
    tasks = [Task.completed(1), Task.async(fn -> gate(:later) end), Task.completed(3)]
    log([:yield_many, for({_, outcome} <- Task.yield_many(tasks, 30), do: outcome)])
    log([:await_many, Task.await_many([Task.completed(1), Task.completed(2)])])
    log([:shutdown, raised(fn -> Task.shutdown(Task.completed(3)) end)])
    twice = Task.completed(1)
    log([:twice_in_a_list, for({_, outcome} <- Task.yield_many([twice, twice], 10), do: outcome)])
    log([:awaited_again, attempt(fn -> Task.await(twice, 10) end) |> hd()])
  end
end
