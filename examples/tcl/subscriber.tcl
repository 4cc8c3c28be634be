# Prints what arrives: tclsh subscriber.tcl ?pattern? ?how many?
package require polynats

if {[lindex $argv 0] in {--help -h}} {
    puts "usage: tclsh subscriber.tcl ?pattern? ?how many?"
    exit
}

lassign [concat $argv [lrange {greet.* 0} $argc end]] pattern count
fconfigure stdout -buffering line
set nc [polynats connect]
set sub [$nc subscribe $pattern -max $count]
$nc flush -timeout 5
puts "listening to $pattern"
$sub foreach msg {
    puts "[dict get $msg subject]\t[dict get $msg data]"
    dict for {key values} [dict get $msg headers] {
        foreach value $values {
            puts "\t$key: $value"
        }
    }
}
$nc close
