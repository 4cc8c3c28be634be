# Takes work from a queue group, in batches: tclsh queue_worker.tcl ?subject? ?how many?
# Start several: each piece of work goes to one of them.
package require polynats

if {[lindex $argv 0] in {--help -h}} {
    puts "usage: tclsh queue_worker.tcl ?subject? ?how many?"
    exit
}

lassign [concat $argv [lrange {work Inf} $argc end]] subject left
fconfigure stdout -buffering line
set nc [polynats connect]
$nc subscribe $subject -queue workers
$nc flush -timeout 5
puts "waiting for work on $subject"
while {$left > 0} {
    foreach msg [$nc get -max 100] {
        puts "done: [dict get $msg data]"
        set left [expr {$left - 1}]
    }
}
$nc close
