# What the recorded scenarios leave open: agents.
defmodule Scenarios.Agents do
  use Vocabulary

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
    agent = start.()
    log([:get_and_update, [Agent.get_and_update(agent, &{&1, &1 + 1}), Agent.get(agent, & &1)]])
    agent = start.()
    log([:stop, Agent.stop(agent, :boom)])
    flush()
    child = %{id: :a, start: {Agent, :start_link, [fn -> [] end, [name: :x63]]}}
    {:ok, sup} = Supervisor.start_link([child], strategy: :one_for_one)
    log([:update, Agent.update(:x63, &[:item | &1]), Agent.get(:x63, & &1)])
    log([:crash, attempt(fn -> Agent.update(:x63, fn _ -> exit(:boom) end) end)])
    settle()
    log([:state_after_restart, Agent.get(:x63, & &1)])
    log([:order, Agent.cast(:x63, &[1 | &1]), Agent.cast(:x63, &[2 | &1]), Agent.get(:x63, & &1)])
    log([:exception, attempt(fn -> Agent.get(:x63, fn _ -> throw(:ball) end) end) |> hd()])
    log([:stop, Supervisor.stop(sup)])
  end

  def x75_change_code_of_an_agent do
    {:ok, agent} = Agent.start_link(fn -> 1 end)
    change = fn extra -> :sys.change_code(agent, Agent, nil, extra) end
    value = fn -> Agent.get(agent, & &1) end
    log([:running, change.({Kernel, :+, [5]}) |> elem(1) |> elem(0)])
    :sys.suspend(agent)
    log([:changed, change.({Kernel, :+, [5]})])
    log([:raises, change.({__MODULE__, :fails, [:oops]}) |> elem(0)])
    log([:exits, change.({__MODULE__, :leaves, [:gone]})])
    log([:wrong, change.(:wrong) |> elem(0)])
    :sys.resume(agent)
    log([:value, value.()])
    log([:goes_on, Agent.update(agent, &(&1 + 1)), value.()])
  end

  def fails(_, reason), do: raise("#{reason}")
  def leaves(_, reason), do: exit(reason)
end
