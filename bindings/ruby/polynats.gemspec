# frozen_string_literal: true

# The package holds the library's source and what SWIG wrote: to install it takes a C compiler, Ruby's headers and
# json-c's, and neither SWIG nor CMake. script/package-gem gathers the files that this lists.
Gem::Specification.new do |spec|
  spec.name = "polynats"
  spec.version = "0.1.0"
  spec.summary = "A fast client for NATS"
  spec.description = "Publish, subscribe, request and reply over NATS, by a C library: quick, kind to threads and fibers."
  spec.authors = ["The polynats authors"]
  spec.license = "Apache-2.0"
  spec.required_ruby_version = ">= 3.1"
  spec.files = Dir["lib/**/*.rb", "sig/**/*.rbs", "ext/**/*.{c,h,rb,def,map}", "LICENSE", "README.md", ".yardopts"]
  spec.extensions = ["ext/polynats/extconf.rb"]
  spec.require_paths = ["lib"]
  spec.requirements = ["json-c, with its headers (Debian: libjson-c-dev)",
                       "OpenSSL 3, with its headers (Debian: libssl-dev)",
                       "zlib, with its headers (Debian: zlib1g-dev)"]
  spec.metadata = { "rubygems_mfa_required" => "true" }
end
