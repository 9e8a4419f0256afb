# The Elixir side of demos/elixir.py, which starts it: elixir --name NAME --cookie COOKIE --hidden elixir.exs PYTHON_NODE PYTHON

defmodule Adder do
  use GenServer

  def init(total), do: {:ok, total}
  def handle_call({:add, number}, _from, total), do: {:reply, total + number, total + number}
  def handle_cast(:crash, _total), do: raise("as asked")
end

defmodule PythonWorker do
  # A Python node as a child of an Elixir supervisor: it ends with the port, and the port tells when it has ended.
  use GenServer

  def start_link({id, command, node}), do: GenServer.start_link(__MODULE__, {command, node}, name: id)

  def init({command, node}) do
    arguments = ["-m", "demos.elixir", "worker", Atom.to_string(node)]
    port = Port.open({:spawn_executable, command}, [:binary, :exit_status, line: 200, args: arguments])

    receive do
      {^port, {:data, {:eol, "ready"}}} -> {:ok, {port, node}}
      {^port, {:exit_status, status}} -> {:stop, {:python_exited, status}}
    end
  end

  def handle_call(:os_pid, _from, {port, _} = state), do: {:reply, elem(Port.info(port, :os_pid), 1), state}
  def handle_call(job, _from, {_, node} = state), do: {:reply, GenServer.call({:worker, node}, job), state}

  def handle_info({port, {:exit_status, status}}, {port, _} = state), do: {:stop, {:python_exited, status}, state}
end

[name, command] = System.argv()
python = String.to_atom(name)

# Adder restarts under an Elixir supervisor; Python calls it by name, and hears when it dies.
{:ok, _} =
  Supervisor.start_link([%{id: Adder, start: {GenServer, :start_link, [Adder, 0, [name: :adder]]}}],
    strategy: :one_for_one
  )

:pong = Node.ping(python)
IO.puts("Elixir asks greeter: " <> GenServer.call({:greeter, python}, {:greet, "Elixir"}))
GenServer.cast({:greeter, python}, {:in, "Spanish"})
IO.puts("Elixir asks again: " <> GenServer.call({:greeter, python}, {:greet, "José"}))

primes = :erpc.call(python, :"demos.elixir", :primes, [30])
IO.puts("Python computed for Elixir: " <> inspect(primes, charlists: :as_lists))

# Two Python workers under an Elixir supervisor. One is killed, and comes back.
workers =
  for id <- [:worker1, :worker2] do
    node = String.to_atom("#{id}-#{System.pid()}@127.0.0.1")
    %{id: id, start: {PythonWorker, :start_link, [{id, command, node}]}}
  end

{:ok, _} = Supervisor.start_link(workers, strategy: :one_for_one)
jobs = for id <- [:worker1, :worker2], do: Task.async(fn -> GenServer.call(id, {:primes, 12}) end)
IO.puts("Two Python workers computed: " <> inspect(Task.await_many(jobs), charlists: :as_lists))

worker = Process.whereis(:worker1)
ref = Process.monitor(worker)
System.cmd("kill", ["-9", Integer.to_string(GenServer.call(worker, :os_pid))])

receive do
  {:DOWN, ^ref, :process, _, reason} -> IO.puts("a Python worker was killed: #{inspect(reason)}")
end

await = fn await -> if pid = Process.whereis(:worker1), do: pid, else: Process.sleep(20) && await.(await) end
again = GenServer.call(await.(await), {:primes, 8}, :infinity)
IO.puts("its supervisor has started the next one, which computed: " <> inspect(again, charlists: :as_lists))

ref = Process.monitor({:greeter, python})
send({:elixir_demo, python}, {:ready, self()})

receive do
  {:DOWN, ^ref, :process, {:greeter, _}, reason} -> IO.puts("greeter ended: #{inspect(reason)}")
end

send({:elixir_demo, python}, :done)
System.stop()
