# What ends a server with callbacks for some requests only.
defmodule Scenarios.UnknownRequests.Server do
  use GenServer

  def init(state), do: {:ok, state}

  def handle_call(:known, _, state), do: {:reply, :yes, state}
  def handle_call(request, from, state), do: super(request, from, state)

  def handle_cast(:known, state), do: {:noreply, state}
  def handle_cast(message, state), do: super(message, state)

  def handle_info(:known, state), do: {:noreply, state}
  def handle_info(message, state), do: super(message, state)
end

defmodule Scenarios.UnknownRequests do
  use Vocabulary
  alias Scenarios.UnknownRequests.Server

  def g68_unknown_requests do
    start = fn -> bind(elem(GenServer.start(Server, 0), 1), :server) end
    server = start.()
    log([:known, GenServer.call(server, :known), GenServer.cast(server, :known), send(server, :known)])
    {:exit, {{%{__struct__: _}, _}, {_, :call, _}}} = caught(fn -> GenServer.call(server, :unknown) end)
    log([:call, :fails_with_the_servers_error, Process.alive?(server)])
    server = start.()
    {%{__struct__: _}, _} = down(server, fn -> GenServer.cast(server, :unknown) end)
    log([:cast, :ends_the_server, Process.alive?(server)])
    server = start.()
    send(server, :unknown)
    log([:info, :is_dropped, GenServer.call(server, :known)])
  end

  defp caught(fun) do
    fun.()
  catch
    kind, reason -> {kind, reason}
  end
end
