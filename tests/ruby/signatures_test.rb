# frozen_string_literal: true

require_relative "helper"
require "rbs"

# The RBS signatures name what is there, all of it, and nothing else.
class SignaturesTest < PolynatsTest
  SIG = File.expand_path("../../bindings/ruby/sig", __dir__)
  # Ours alone: the thin layer's way to the C functions.
  INTERNAL = /\Aget_callbacks\z/

  def environment
    loader = RBS::EnvironmentLoader.new
    %w[timeout].each { |library| loader.add(library: library, version: nil) }
    loader.add(path: Pathname(SIG))
    RBS::Environment.from_loader(loader).resolve_type_names
  end

  def test_every_public_method_has_a_signature
    entries = environment.class_decls.select { |name, _| name.to_s.start_with?("::Polynats") }
    assert_operator entries.size, :>, 20
    entries.each do |name, entry|
      type = Object.const_get(name.to_s)
      members = entry.decls.flat_map { |decl| decl.decl.members }
      named = members.select { |member| member.respond_to?(:name) && member.respond_to?(:kind) }
      compare(name, type, named) unless type <= Exception || type < Struct
    end
  end

  # All that a signature refers to is there, and no two contradict each other.
  def test_the_signatures_are_valid
    builder = RBS::DefinitionBuilder.new(env: environment)
    names = environment.class_decls.keys.select { |name| name.to_s.start_with?("::Polynats") }
    names.each do |name|
      assert builder.build_instance(name) && builder.build_singleton(name)
    end
    assert_operator names.size, :>, 20
  end

  def compare(name, type, members)
    instance = members.select { |member| member.kind == :instance }.map(&:name).sort
    single = members.reject { |member| member.kind == :instance }.map(&:name).sort
    found = type.public_instance_methods(false).grep_v(INTERNAL).sort
    assert_equal instance, found, name.to_s
    found = type.singleton_methods(false).sort
    assert_equal single, found, name.to_s
  end
end
