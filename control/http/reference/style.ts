/** How the page looks and finds: everything that it needs, so that it asks nobody for anything. */

export const style = `
:root{color-scheme:light dark;--back:#fff;--text:#1b1f24;--soft:#59636e;--line:#d8dee4;--panel:#f6f8fa;--link:#0757b8;
  --get:#0a6b3d;--post:#0757b8;--put:#8a5a00;--delete:#b3261e}
@media(prefers-color-scheme:dark){:root{--back:#0e1116;--text:#e4e8ec;--soft:#98a2ad;--line:#2c333b;--panel:#161b22;
  --link:#6cb0ff;--get:#5ccb94;--post:#6cb0ff;--put:#e0b04c;--delete:#ff8a80}}
*{box-sizing:border-box}
body{margin:0;background:var(--back);color:var(--text);font:15px/1.5 system-ui,sans-serif;display:grid;
  grid-template-columns:280px minmax(0,1fr)}
nav{position:sticky;top:0;height:100vh;overflow-y:auto;padding:16px;border-right:1px solid var(--line);background:var(--panel)}
nav input{width:100%;padding:6px 8px;border:1px solid var(--line);border-radius:6px;background:var(--back);color:inherit;font:inherit}
nav h2{margin:16px 0 4px;font-size:12px;text-transform:uppercase;letter-spacing:.05em;color:var(--soft)}
nav a{display:block;padding:1px 6px;border-radius:4px;color:inherit;text-decoration:none;overflow-wrap:anywhere}
nav a:hover,nav a:focus{background:var(--line)}
main{padding:24px 40px 80px;max-width:1000px;min-width:0}
a{color:var(--link)}
h1{margin:0 0 8px}
main h2{margin:48px 0 0;padding-bottom:4px;border-bottom:1px solid var(--line)}
h3{margin:40px 0 4px;font-size:20px;scroll-margin-top:16px}
h3 a,h4 a{color:inherit;text-decoration:none}
h4{margin:12px 0 6px;font-size:14px}
section{scroll-margin-top:8px}
code,pre{font:13px/1.45 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
pre{margin:0;padding:12px;overflow-x:auto;background:var(--panel);border:1px solid var(--line);border-radius:6px;white-space:pre}
.answer pre{max-height:420px}
.route{margin:0;overflow-wrap:anywhere}
.GET{color:var(--get)}.POST{color:var(--post)}.PUT{color:var(--put)}.DELETE{color:var(--delete)}
.facts{margin:4px 0 8px;color:var(--soft);font-size:13px;overflow-wrap:anywhere}
table{width:100%;border-collapse:collapse;margin:8px 0;font-size:14px}
th{text-align:left;color:var(--soft);font-weight:500}
td,th{padding:4px 8px;border-bottom:1px solid var(--line);vertical-align:top}
td code{overflow-wrap:anywhere}
td b{color:var(--delete)}
.d1{padding-left:20px}.d2{padding-left:32px}.d3{padding-left:44px}.d4{padding-left:56px}
.refused{color:var(--soft)}
details{margin:6px 0}
summary{cursor:pointer;color:var(--soft)}
.example{margin:12px 0;display:flex;flex-wrap:wrap;gap:0 4px}
.example h4,.example pre,.example details{flex-basis:100%;min-width:0}
.example input{position:absolute;opacity:0}
.example label{order:1;padding:2px 10px;border-radius:6px 6px 0 0;color:var(--soft);cursor:pointer;font-size:13px}
.example input:checked+label{background:var(--panel);color:var(--text)}
.example input:focus-visible+label{outline:2px solid var(--link)}
.example>pre{order:2;display:none}
.example input:checked+label+pre{display:block}
.example details{order:3}
.hidden{display:none}
@media(max-width:800px){body{display:block}nav{position:static;height:auto;max-height:40vh}main{padding:16px}}
@media print{nav,.example label{display:none}.example>pre{display:block}}
`;

/** Of the field above the list: shows what has every word, anywhere in its name, path or summary. */
export const script = `
const find=document.getElementById('find');
const entries=[...document.querySelectorAll('nav a[data-find]')];
find.addEventListener('input',()=>{
  const words=find.value.toLowerCase().split(/\\s+/).filter(Boolean);
  for(const entry of entries)entry.classList.toggle('hidden',!words.every((word)=>entry.dataset.find.toLowerCase().includes(word)));
  for(const title of document.querySelectorAll('nav h2')){
    let next=title.nextElementSibling,shown=false;
    for(;next&&next.tagName==='A';next=next.nextElementSibling)shown||=!next.classList.contains('hidden');
    title.classList.toggle('hidden',!shown);
  }
});
find.addEventListener('keydown',(event)=>{
  if(event.key!=='Enter')return;
  const first=entries.find((entry)=>!entry.classList.contains('hidden'));
  if(first)location.hash=first.getAttribute('href');
});
addEventListener('keydown',(event)=>{
  if(event.key==='/'&&event.target===document.body){event.preventDefault();find.focus();}
});
`;
