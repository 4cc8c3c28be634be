# Two clients on one connection, each with its own subscriptions and its own get: tclsh shared.tcl
package require polynats

if {[lindex $argv 0] in {--help -h}} {
    puts "usage: tclsh shared.tcl"
    exit
}

set nc [polynats connect]
set audit [$nc share]
$nc subscribe order.new
$audit subscribe order.>
$nc publish order.new book
$nc publish order.paid book
$nc flush -timeout 5
foreach {name client} [list work $nc audit $audit] {
    foreach msg [$client get -wait 1] {
        puts "$name\t[dict get $msg subject]\t[dict get $msg data]"
    }
    $client close
}
