# frozen_string_literal: true

require "minitest/autorun"
require "polynats"
require "socket"

# With POLYNATS_GC_STRESS=n the collector runs, and moves what may be moved, at every chance within
# each nth call of our C: what that forgot to keep is gone then. In all calls the tests' own limits of
# time would not hold.
if (nth = ENV["POLYNATS_GC_STRESS"]&.to_i)
  GC.auto_compact = true if GC.respond_to?(:auto_compact=)
  calls = 0
  TracePoint.new(:c_call, :c_return) do |point|
    next unless point.defined_class.to_s.match?(/\A(#<Class:)?Polynats/)

    GC.stress = point.event == :c_call && ((calls += 1) % nth).zero?
  end.enable
end

# What the tests share. The server is the one of $NATS_URL (script/with-server starts it).
class PolynatsTest < Minitest::Test
  URL = ENV.fetch("NATS_URL").freeze
  # An interrupted call ends within 100 ms; a loaded machine gets more to be sure of its own part.
  PROMPT = 1.0

  def connect(**options, &block) = Polynats.connect(URL, **options, &block)

  # Clients are closed when the test is over, whatever became of it.
  def setup
    @nc = connect
    @subject = "t.#{name}.#{Process.pid}"
  end

  def teardown = @nc.close

  def clock = Process.clock_gettime(Process::CLOCK_MONOTONIC)

  def took
    began = clock
    yield
    clock - began
  end

  # What a program of its own prints; it must succeed.
  def run_ruby(program, env: {})
    IO.popen([{ "NATS_URL" => URL }.merge(env), "ruby", "-W", "-I", __dir__, "-e", program,
              { err: %i[child out] }], &:read).tap { |out| assert_predicate $?, :success?, out }
  end
end
