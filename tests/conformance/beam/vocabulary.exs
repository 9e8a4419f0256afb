# What the scenarios of Elixir's behaviours are told with, besides `transcript`.
defmodule Vocabulary do
  import :transcript, except: [run: 2]

  defmacro __using__(_) do
    quote do
      import :transcript, except: [run: 2]
      import Vocabulary
    end
  end

  def traps, do: Process.flag(:trap_exit, true)
  def worker(id, options \\ %{}, extra \\ %{}), do: :cw.spec(id, options, extra)

  # [id, name or "restarting", type] of each child, sorted as they are shown.
  def kids(sup), do: Enum.sort(for {id, pid, type, _} <- which(sup), do: [id, shown(pid), type])
  def which(sup), do: GenServer.call(sup, :which_children)
  def shown(pid) when is_pid(pid), do: name(pid)
  def shown(:restarting), do: "restarting"
  def shown(other), do: other

  def raised(fun) do
    ["returned", fun.()]
  rescue
    error -> ["raised", error.__struct__ |> Module.split() |> List.last()]
  end

  # A process called `id` that runs the functions that ask/2 brings it and logs other messages.
  def holder(id) do
    main = self()
    pid = spawn(fn -> send(main, {:ready, bind(self(), id)}) && obey(id) end)
    receive do: ({:ready, ^pid} -> pid)
  end

  def obey(id) do
    receive do
      {:run, from, fun} -> send(from, {:ran, self(), fun.()})
      :stop -> exit(:normal)
      other -> log([id, :got, other])
    end

    obey(id)
  end

  def ask(pid, fun) do
    send(pid, {:run, self(), fun})

    receive do
      {:ran, ^pid, value} -> value
    after
      10_000 -> log([:!, :no_answer])
    end
  end

  # Runs a fun in a process of its own and returns the reason of its end.
  def fate(fun), do: elem(spawn_monitor(fun), 1) |> down()

  def gave_up(sup) do
    log([:alive, Process.alive?(sup)])
    log([:mailbox, flush()])
  end

  def dynamic(options \\ []) do
    traps()
    {:ok, sup} = DynamicSupervisor.start_link([strategy: :one_for_one] ++ options)
    bind(sup, :dyn)
  end

  # Ends the children of a dynamic supervisor, one after another.
  def put_down(sup) do
    for {_, pid, _, _} <- Enum.sort_by(which(sup), &shown(elem(&1, 1))), do: DynamicSupervisor.terminate_child(sup, pid)
  end
end
