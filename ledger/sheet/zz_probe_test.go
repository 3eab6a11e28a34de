package sheet
import ("testing";"archive/zip";"bytes";"fmt";"strings";"time")
func px(sheet string) []byte {
 var b bytes.Buffer; z:=zip.NewWriter(&b)
 w:=func(n,s string){f,_:=z.Create(n); f.Write([]byte(s))}
 w("[Content_Types].xml",`<?xml version="1.0" encoding="UTF-8"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>`)
 w("_rels/.rels",`<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>`)
 w("xl/workbook.xml",`<?xml version="1.0"?><workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="S" sheetId="1" r:id="rId1"/></sheets></workbook>`)
 w("xl/_rels/workbook.xml.rels",`<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>`)
 w("xl/worksheets/sheet1.xml",`<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>`+sheet+`</sheetData></worksheet>`)
 z.Close(); return b.Bytes()
}
const hd=`<row r="1"><c r="A1" t="inlineStr"><is><t>no</t></is></c><c r="B1" t="inlineStr"><is><t>date</t></is></c><c r="C1" t="inlineStr"><is><t>h</t></is></c></row>`
func TestProbe(t *testing.T){
 p:=profile(t,"columns: {volunteer: no, date: date, amount: h}\ndates: [YYYY-MM-DD]\namount: {unit: decimal_hours}\nactivity: {default: H}\nevidence: {kind: list}\n")
 show:=func(n string,f []byte){ t0:=time.Now(); rs,e:=Read(f,p); s:=""; for i,r:=range rs { if i<5 {s+=fmt.Sprintf(" [%d %v]",r.Amount,r.Problem)}}; t.Log(n,len(rs),e,s,time.Since(t0))}
 show("unclosed quote",[]byte("no,date,h\n1,\"2026-01-01,1\n2,2026-01-02,1\n3,2026-01-03,1\n"))
 show("exponent",px(hd+`<row r="2"><c r="A2"><v>1</v></c><c r="B2"><v>46086</v></c><c r="C2"><v>8.3333333333333332E-3</v></c></row>`))
 show("noise .175",px(hd+`<row r="2"><c r="A2"><v>1</v></c><c r="B2"><v>46086</v></c><c r="C2"><v>0.17499999999999999</v></c></row>`))
 show("broken xml",px(hd+`<row r="2"><c r="A2"><v>1</v></c><c r="B2"><v>46086</v></c><c r="C2"><v>1</v></c></row><row r="3"><c r="A3"><v>1</b></c></row><row r="4"><c r="A4"><v>2</v></c><c r="B4"><v>46086</v></c><c r="C4"><v>1</v></c></row>`))
 show("wide",px(hd+strings.Repeat(`<row><c r="XFD1"><v>1</v></c></row>`,2000)))
 show("far",px(hd+`<row r="1048576"><c r="A1"><v>1</v></c></row>`))
 show("extra blank cells",[]byte("no,date,h\n1,2026-01-01,1,,\n"))
 show("blank row",[]byte("no,date,h\n,,\n1,2026-01-01,1\n"))
 show("dup unused header",[]byte("no,date,h,x,x\n1,2026-01-01,1,,\n"))
 show("one bad byte",[]byte("no,date,h,x\n1,2026-01-01,1,\xe5\xbc\xa0\n2,2026-01-01,1,\xe5\xbc\n3,2026-01-01,1,\xe5\xbc\xa0\n"))
 for n,y:=range map[string]string{"deep":strings.Repeat("[",60000),"deepmap":"a: "+strings.Repeat("{a: ",15000),"bomb":"a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d]\ndates: [*e,*e,*e,*e,*e]\n","manykeys":"sites:\n"+strings.Repeat("  k: v\n",8000), "twodocs":shelterProfile+"\n---\nfoo: 1\n"} {
  t0:=time.Now(); _,e:=ParseProfile([]byte(y)); s:=fmt.Sprint(e); if len(s)>150 {s=s[:150]}; t.Log(n,s,time.Since(t0)) }
}
