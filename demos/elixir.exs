# The Elixir side of demos/elixir.py, which starts it: elixir --name NAME --cookie COOKIE --hidden elixir.exs PYTHON_NODE

defmodule Adder do
  use GenServer

  def init(total), do: {:ok, total}
  def handle_call({:add, number}, _from, total), do: {:reply, total + number, total + number}
  def handle_cast(:crash, _total), do: raise("as asked")
end

[name] = System.argv()
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

ref = Process.monitor({:greeter, python})
send({:elixir_demo, python}, {:ready, self()})

receive do
  {:DOWN, ^ref, :process, {:greeter, _}, reason} -> IO.puts("greeter ended: #{inspect(reason)}")
end

send({:elixir_demo, python}, :done)
Process.sleep(:infinity)
